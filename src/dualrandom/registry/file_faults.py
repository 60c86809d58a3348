"""What can be wrong with a file as a whole, its sheets, its headings, and rows that are no records."""

from __future__ import annotations

from collections.abc import Mapping

from dualrandom.registry.wording import Fault, warning

FILES: Mapping[str, Fault] = {
    "file-missing": Fault(
        "找不到{library_zh}的文件",
        "there is no file for the library of {library_en}",
        "将 {names} 之一放入该文件夹，或在计划的 [libraries.{kind}] file 中写明文件名",
        "put one of {names} into the folder, or name the file in [libraries.{kind}] file of the plan",
    ),
    "file-ambiguous": Fault(
        "{library_zh}有多个文件：{names}",
        "several files could be the library of {library_en}: {names}",
        "只保留一个，或在计划的 [libraries.{kind}] file 中写明文件名",
        "keep one of them, or name the file in [libraries.{kind}] file of the plan",
    ),
    "file-absent": Fault(
        "没有这个文件",
        "there is no such file",
        "核对路径和文件名（包括扩展名）",
        "check the path and the file's name, its suffix too",
    ),
    "file-unreadable": Fault(
        "文件无法读取：{reason}",
        "the file cannot be read: {reason}",
        "检查文件是否完整、是否有读取权限，或重新导出后再导入",
        "check that the file is complete and may be read, or export it again",
    ),
    "file-empty": Fault(
        "文件为空",
        "the file is empty",
        "重新导出；第一行应为列标题（见空白模板）",
        "export it again; the first row holds the headings (see the blank templates)",
    ),
    "file-too-large": Fault(
        "文件展开后过大（{size} MB）",
        "the file is too large when unpacked ({size} MB)",
        "只保留所需的工作表和列，或改存为 csv",
        "keep only the sheet and the columns that are needed, or save it as csv",
    ),
    "no-rows": Fault(
        "有列标题，但没有数据行",
        "there are headings but no rows",
        "填入数据后重新导入",
        "fill in the rows and import again",
    ),
    "old-excel": Fault(
        "这是旧版 Excel 文件（.xls）",
        "this is a file of an old Excel (.xls)",
        "在 Excel 或 WPS 中打开，另存为 .xlsx",
        "open it in Excel or WPS and save it as .xlsx",
    ),
    "encrypted-workbook": Fault(
        "工作簿设有打开密码（已加密）",
        "the workbook is protected by a password (encrypted)",
        "打开后去掉密码，再另存为 .xlsx",
        "open it, remove the password and save it as .xlsx",
    ),
    "not-a-workbook": Fault(
        "文件名是 .xlsx，但内容不是 Excel 工作簿（{reason}）",
        "the name says .xlsx but the content is no Excel workbook ({reason})",
        "在 Excel 或 WPS 中打开，另存为 .xlsx；若内容是文本，将文件名改为 .csv",
        "open it in Excel or WPS and save it as .xlsx; if it is text, name it .csv",
    ),
    "format-unknown": Fault(
        "不支持的文件格式",
        "the file's format is not supported",
        "存为 .csv（UTF-8 或 GB18030）、.xlsx 或 .parquet",
        "save it as .csv (UTF-8 or GB18030), .xlsx or .parquet",
    ),
    "extra-missing": Fault(
        "读取此格式需要软件包 {value}，尚未安装",
        "this format needs the package {value}, which is not installed",
        "安装 dualrandom[{extra}]，或将文件存为 csv",
        "install dualrandom[{extra}], or save the file as csv",
    ),
    "encoding-unknown": Fault(
        "文字编码不是 {tried}（第 {line} 行起无法解读）",
        "the text is not {tried} (unreadable from line {line} on)",
        "另存为“CSV UTF-8”，或在计划的 [libraries.{kind}] encoding 中写明编码",
        'save it as "CSV UTF-8", or name its encoding in [libraries.{kind}] encoding of the plan',
    ),
    "encoding-gb": warning(
        "文件不是 UTF-8，已按 GB18030（GBK）读取",
        "the file is not UTF-8; it was read as GB18030 (GBK)",
        "核对名称中的汉字；建议另存为“CSV UTF-8”",
        'check the Chinese characters; better save it as "CSV UTF-8"',
    ),
    "csv-broken": Fault(
        "csv 的引号或分隔符有误：{reason_zh}",
        "quotes or separators of the csv are broken: {reason}",
        "检查该行的双引号是否成对，或从 Excel、WPS 重新导出",
        "check that the double quotes of this row are paired, or export it again from Excel or WPS",
    ),
    "csv-rows-swallowed": Fault(
        "这一格里有好几行数据：双引号未成对，把后面的行并了进来",
        "this cell holds several rows: double quotes that are not paired have drawn the following rows into it",
        "在该行和此格的末行各找出多余的双引号，删除后重新导入，或从 Excel、WPS 重新导出",
        "find the stray double quote in this row and in the last line of the cell, take both out, or export the file again "
        "from Excel or WPS",
    ),
    "sheet-missing": Fault(
        "没有工作表“{value}”；现有：{names}",
        'there is no sheet "{value}"; there are: {names}',
        "更正计划的 [libraries.{kind}] sheet",
        "correct [libraries.{kind}] sheet of the plan",
    ),
    "sheet-hidden": Fault(
        "工作表“{value}”已隐藏，隐藏的内容不作为名录读取",
        'sheet "{value}" is hidden, and what is hidden is not read as a library',
        "取消隐藏后重新保存，或删除该工作表",
        "show the sheet and save again, or delete it",
    ),
    "hidden-sheet-ignored": warning(
        "隐藏的工作表“{value}”未读取",
        'the hidden sheet "{value}" was not read',
        "如其中有应导入的数据，取消隐藏并移入主表；否则删除",
        "if it holds rows to import, show it and move them to the main sheet; otherwise delete it",
    ),
    "sheet-ignored": warning(
        "工作表“{value}”没有可识别的列标题，未读取",
        'sheet "{value}" has no headings that are recognised and was not read',
        "如应读取，请按空白模板改正其列标题",
        "if it should be read, correct its headings as in the blank template",
    ),
    "sheets-several": Fault(
        "有多张工作表都像是{library_zh}：{names}",
        "several sheets look like the library of {library_en}: {names}",
        "合并为一张，或在计划的 [libraries.{kind}] sheet 中写明工作表",
        "merge them into one, or name the sheet in [libraries.{kind}] sheet of the plan",
    ),
    "rows-hidden": warning(
        "有 {value} 行被隐藏或筛选掉，仍已读取",
        "{value} rows are hidden or filtered out; they were read all the same",
        "如这些行不应导入，请删除后重新保存",
        "if these rows should not be imported, delete them and save again",
    ),
    "merged-cells": Fault(
        "合并的单元格 {value}：只有左上角一格有内容",
        "merged cells {value}: only the upper left one has content",
        "取消合并，并在每一格填入内容",
        "unmerge them and fill every cell",
    ),
}

HEADINGS: Mapping[str, Fault] = {
    "template-wrong": Fault(
        "这个文件像是{found_zh}，不是{library_zh}",
        "this file looks like the library of {found_en}, not of {library_en}",
        "换成正确的文件，或用 dualrandom 的空白模板重新填写",
        "give the right file, or fill in the blank template of dualrandom",
    ),
    "heading-missing": Fault(
        "缺少必需的列“{value}”",
        'the required column "{value}" is missing',
        '补上该列；如文件中用了别的列名，在计划的 [libraries.{kind}] columns 中写 {name} = "列名"。'
        "可识别的列名：{names}",
        'add it; if the file calls it otherwise, write {name} = "its heading" in [libraries.{kind}] columns of the '
        "plan. Headings that are recognised: {names}",
    ),
    "heading-mapped-missing": Fault(
        "计划指定的列“{value}”（{name}）在文件中不存在",
        'the column "{value}", which the plan maps to {name}, is not in the file',
        "更正计划的 [libraries.{kind}] columns",
        "correct [libraries.{kind}] columns of the plan",
    ),
    "heading-duplicate": Fault(
        "第 {first} 列与第 {second} 列的标题都表示“{name_zh}”",
        'the headings of columns {first} and {second} both mean "{name_en}"',
        "删除其中一列，或在计划的 [libraries.{kind}] columns 中写明用哪一列",
        "delete one of the columns, or say in [libraries.{kind}] columns of the plan which one to use",
    ),
    "heading-repeated": Fault(
        "数据中间又出现一行列标题",
        "a row of headings stands among the rows",
        "删除该行（多份文件拼接时常见）",
        "delete this row (usual where files were pasted together)",
    ),
    "columns-ignored": warning(
        "以下列未识别，未读取：{value}",
        "these columns are not recognised and were not read: {value}",
        "如其中有需要的列，在计划的 [libraries.{kind}] columns 中写明",
        "if one of them is needed, map it in [libraries.{kind}] columns of the plan",
    ),
    "map-column-unknown": Fault(
        "计划的 [libraries.{kind}] {table} 中的“{value}”不是本库的列",
        '"{value}" in [libraries.{kind}] {table} of the plan is not a column of this library',
        "改为：{names}",
        "use one of: {names}",
    ),
    "extra-cells": Fault(
        "该行的单元格比列标题多（“{value}”没有对应的列）",
        'the row has more cells than there are headings ("{value}" belongs to no column)',
        "检查该行内容中的分隔符是否用双引号括起",
        "check that separators inside a cell are enclosed in double quotes",
    ),
    "total-row": Fault(
        "这是合计行，不是一条记录",
        "this is a row of totals, not a record",
        "删除该行",
        "delete this row",
    ),
    "example-ignored": warning(
        "模板的示例行，未读取",
        "an example row of the template; it was not read",
        "可删除该行",
        "the row may be deleted",
    ),
}
