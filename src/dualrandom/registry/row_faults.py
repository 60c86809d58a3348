"""What can be wrong with a cell, with a row, and between rows of different libraries and the plan."""

from __future__ import annotations

from collections.abc import Mapping

from dualrandom.registry.wording import Fault, warning

CELLS: Mapping[str, Fault] = {
    "cell-empty": Fault(
        "必填项为空", "a required cell is empty", "填入内容：{about_zh}", "fill it in: {about_en}"
    ),
    "cell-error": Fault(
        "单元格是公式错误 {value}",
        "the cell holds the error {value}",
        "更正公式，或改为直接填写内容",
        "correct the formula, or type the value",
    ),
    "formula-without-value": Fault(
        "单元格是公式，文件中没有保存其结果",
        "the cell is a formula whose result is not stored in the file",
        "在 Excel 或 WPS 中打开并保存一次，或粘贴为数值",
        "open and save the file once in Excel or WPS, or paste the values",
    ),
    "formula": warning(
        "单元格是公式，已读取保存时的结果",
        "the cell is a formula; the result stored with it was read",
        "建议粘贴为数值，以免重新计算后改变",
        "better paste it as a value, so that no recalculation changes it",
    ),
    "garbled": warning(
        "含有乱码字符（�）、控制字符、看不见的字符或自造字",
        "there are replacement (�), control, invisible or private-use characters in the text",
        "核对原文；如全篇乱码，在计划的 [libraries.{kind}] encoding 中写明编码",
        "check the original; if all is garbled, name the encoding in [libraries.{kind}] encoding of the plan",
    ),
    "id-as-number": Fault(
        "编号被表格软件当作数字，后几位已丢失",
        "the spreadsheet took the id for a number and lost its last digits",
        "将该列设为“文本”格式，从原系统重新导出或重新输入完整编号",
        'set the column to "text" and export or type the full ids again',
    ),
    "id-form": Fault(
        "编号写法不规范（全角、空格、小写、隐藏字符或多余符号）",
        "the id is not in its normal form (full-width, spaces, lower case, hidden characters or stray signs)",
        "改为建议的写法",
        "write it as suggested",
    ),
    "id-pattern": Fault(
        "编号含有不允许的字符或过长",
        "the id has characters that are not allowed, or is too long",
        "只用字母、数字和 . _ -，以字母或数字开头，最长 64 位",
        "use letters, digits and . _ - only, a letter or digit first, at most 64",
    ),
    "licence-as-code": Fault(
        "没有“人员编号”列，以执法证号代替，但它不能作编号（含汉字或其他符号）",
        "there is no column of inspector codes and the licence number cannot stand for one (Chinese or other characters)",
        "增加“人员编号”列，每人一个编号，如工号；执法证号照原样保留",
        "add a column of inspector codes, such as staff numbers; leave the licence numbers as they are",
    ),
    "licence-none": Fault(
        "不是执法证号（没有数字）：无执法证的人员不得入库",
        "this is no licence number (it has no digit): nobody without a licence belongs here",
        "填入执法证上的编号，或将此人移出名录",
        "give the number on the licence, or take the person off the list",
    ),
    "mark-pattern": Fault(
        "资格不是代码（含汉字或其他符号）",
        "the mark is no code (it has Chinese or other characters)",
        "改为代码（如 food），检查人员与事项写法一致；或在计划的 [libraries.{kind}] values 中对应",
        "write a code (such as food), the same for people and items; or map it in [libraries.{kind}] values of the plan",
    ),
    "reference-pattern": Fault(
        "这里须填编号或代码，不是姓名或名称",
        "an id or code is needed here, not a name",
        "填入：{about_zh}",
        "give: {about_en}",
    ),
    "uscc-length": Fault(
        "统一社会信用代码应为 18 位",
        "a unified social credit code has 18 characters",
        '核对营业执照上的代码；如计划使用其他编号，设 enterprise_ids = "free"',
        'check the business licence; if the plan uses other ids, set enterprise_ids = "free"',
    ),
    "uscc-character": Fault(
        "统一社会信用代码含有不使用的字符（不用 I、O、S、V、Z，前 8 位为数字）",
        "the unified social credit code has characters that it never uses (no I, O, S, V, Z; digits in the first 8)",
        "核对营业执照：常见的是 O 与 0、I 与 1 混淆",
        "check the business licence: O for 0 and I for 1 are usual",
    ),
    "uscc-check-digit": Fault(
        "统一社会信用代码的校验码不符，至少有一位写错",
        "the check digit of the unified social credit code does not fit: at least one character is wrong",
        "核对营业执照；建议值只是可能之一",
        "check the business licence; the suggestion is only one possibility",
    ),
    "id-duplicate": Fault(
        "编号 {value} 在第 {first} 行和第 {second} 行重复，且内容不同（{differs}）",
        "id {value} stands in rows {first} and {second} with different content ({differs})",
        "核对后只保留正确的一行",
        "find out which is right and keep only that row",
    ),
    "row-duplicate": warning(
        "第 {second} 行与第 {first} 行完全相同，只计一次",
        "row {second} equals row {first} and counts once",
        "可删除其中一行",
        "one of the rows may be deleted",
    ),
    "id-case": Fault(
        "编号 {value}（第 {second} 行）与 {other}（第 {first} 行）只有大小写不同",
        "id {value} (row {second}) differs from {other} (row {first}) only in upper and lower case",
        "改用明显不同的编号",
        "use ids that differ clearly",
    ),
    "id-shared": Fault(
        "编号 {value} 既是企业又是检查人员",
        "id {value} is both an enterprise and an inspector",
        "更改检查人员的编号",
        "change the inspector's code",
    ),
    "date-invalid": Fault(
        "不是日期，或写法无法确定",
        "this is no date, or could be read in two ways",
        "写作 2023-09-01、2023/9/1、2023年9月1日 或 20230901；连续几日写作 2023-09-04~2023-09-08",
        "write 2023-09-01, 2023/9/1, 2023年9月1日 or 20230901; a run of days as 2023-09-04~2023-09-08",
    ),
    "date-range-invalid": Fault(
        "日期区间的首日晚于末日，或超过 400 天",
        "the first day of the range is after the last, or it is longer than 400 days",
        "写作 2023-09-04~2023-09-08",
        "write 2023-09-04~2023-09-08",
    ),
    "dates-reversed": Fault(
        "失效日期早于生效日期（{other}）",
        "the last day lies before the first ({other})",
        "更正其中一个日期",
        "correct one of the dates",
    ),
    "number-invalid": Fault("不是数字", "this is no number", "填入：{about_zh}", "give: {about_en}"),
    "number-negative": Fault("不能为负数", "it cannot be negative", "填入：{about_zh}", "give: {about_en}"),
    "number-not-whole": Fault(
        "必须是整数", "it must be a whole number", "填入：{about_zh}", "give: {about_en}"
    ),
    "choice-unknown": Fault(
        "不认识的值",
        "the value is not known",
        "可用：{names}；其他系统的写法可在计划的 [libraries.{kind}] values 中对应",
        "use one of: {names}; another system's words can be mapped in [libraries.{kind}] values of the plan",
    ),
    "class-unknown": Fault(
        "信用风险分类不在计划的 classes 中",
        "the credit class is not one of the plan's",
        "可用：{names}；其他系统的写法可在计划的 [libraries.{kind}] values 中对应",
        "use one of: {names}; another system's words can be mapped in [libraries.{kind}] values of the plan",
    ),
    "district-unknown": Fault(
        "区划不在计划的 [[districts]] 中",
        "the district is not one of the plan's [[districts]]",
        "可用：{names}；或在计划中补充该区划，或在计划的 [libraries.{kind}] values 中对应",
        "use one of: {names}; or add it to the plan, or map it in [libraries.{kind}] values of the plan",
    ),
    "district-pattern": Fault(
        "计划没有列出区划，因此这里须为代码",
        "the plan lists no districts, so a code is needed here",
        "改为区划代码（如 420704），或在计划的 [[districts]] 中列出代码和名称",
        "give the district's code (such as 420704), or list codes and names in [[districts]] of the plan",
    ),
    "department-unknown": Fault(
        "部门不在计划的 [[departments]] 中",
        "the department is not one of the plan's [[departments]]",
        "可用：{names}；或在计划中补充该部门，或在计划的 [libraries.{kind}] values 中对应",
        "use one of: {names}; or add it to the plan, or map it in [libraries.{kind}] values of the plan",
    ),
}

RULES: Mapping[str, Fault] = {
    "licence-expired": Fault(
        "执法证在检查期开始（{start}）前已过期，无证人员不得检查",
        "the licence expires before the period begins ({start}); nobody inspects without one",
        "更新有效期，或将此人移出名录",
        "enter the renewed date, or take the person off the list",
    ),
    "licence-expires": warning(
        "执法证在检查期内到期，{value} 之后不再安排检查",
        "the licence expires within the period: no visits after {value}",
        "如已换证，更新有效期",
        "if it has been renewed, enter the new date",
    ),
    "licence-repeated": Fault(
        "执法证号在第 {first} 行和第 {second} 行相同：同一人不得以两个编号入库，否则可能与自己同组",
        "rows {first} and {second} have the same licence number: one person with two codes could be paired with himself",
        "一人只保留一行（在两个部门的，只留执法证所属的部门）；如不是同一人，更正执法证号",
        "keep one row for one person (of two departments, the one that issued the licence), or correct the number",
    ),
    "mark-without-holder": warning(
        "事项要求的资格“{value}”没有{department}的检查人员具备",
        'no inspector of {department} holds the mark "{value}" that the item requires',
        "在检查人员名录的标记列补上，或更正事项的资格要求；否则该事项的检查排不出人员",
        "add it to an inspector's marks or correct the item's; otherwise no crew can be found for it",
    ),
    "recusal-self": Fault(
        "检查人员不能与本人回避",
        "a person cannot be recused from himself",
        "更正回避对象",
        "correct the other side",
    ),
    "recusal-inspector-unknown": Fault(
        "检查人员名录库中没有此人",
        "there is no such person in the inspectors' library",
        "更正编号；否则此条回避不起作用",
        "correct the code; otherwise the recusal has no effect",
    ),
    "recusal-other-unknown": warning(
        "检查对象名录库中没有此企业，此条回避本次不起作用",
        "there is no such enterprise in the library; the recusal has no effect this time",
        "核对编号是否写错",
        "check that the id is not mistyped",
    ),
    "recusal-repeated": warning(
        "同一回避关系在第 {first} 行和第 {second} 行，事由不同；按代码 {value} 记录",
        "the same recusal stands in rows {first} and {second} with different grounds; {value} is recorded",
        "可只保留一行",
        "one row is enough",
    ),
    "visit-future": Fault(
        "检查日期晚于检查期末（{end}）",
        "the visit lies after the end of the period ({end})",
        "更正日期，或移出既往检查记录",
        "correct the date, or take it out of the past visits",
    ),
    "visit-enterprise-unknown": warning(
        "检查对象名录库中没有此企业（可能已注销或迁出）",
        "there is no such enterprise in the library (it may have closed or moved)",
        "核对编号；如已注销可不处理",
        "check the id; nothing to do if it has closed",
    ),
    "visit-inspector-unknown": warning(
        "检查人员名录库中没有此人（可能已调离），不影响抽取",
        "there is no such person in the inspectors' library (he may have left); the draw is not affected",
        "核对编号",
        "check the code",
    ),
    "visit-item-unknown": warning(
        "抽查事项清单中没有此事项（可能已移出清单）",
        "there is no such item on the list (it may have been taken off)",
        "核对编号；写错会使该次检查不计入已完成的数量",
        "check the id; a mistyped one is not counted as done",
    ),
    "item-not-listed": Fault(
        "任务 {task}（{department}）的事项 {value} 不在抽查事项清单中：清单以外的事项不得检查",
        "item {value} of task {task} ({department}) is not on the published list: what is not on it cannot be checked",
        "将该事项连同法律依据列入清单并公布，或从任务中删去",
        "put it on the published list with its legal basis, or take it out of the task",
    ),
    "item-not-in-force": Fault(
        "任务 {task}（{department}）的事项 {value} 在检查期 {start} 至 {end} 内并非全程有效（{span}）；依据：{basis}",
        "item {value} of task {task} ({department}) is not in force over the whole period {start} to {end} ({span}); "
        "basis: {basis}",
        "更新清单中的有效期，或从任务中删去该事项",
        "renew its dates on the list, or take it out of the task",
    ),
    "item-of-other-department": Fault(
        "事项 {value} 属于 {owner}，任务 {task} 属于 {department}：部门不得检查他部门的事项；依据：{basis}",
        "item {value} belongs to {owner}, task {task} to {department}: a department cannot check another's items; "
        "basis: {basis}",
        "将事项移入该部门的任务，或更正清单中的部门",
        "move it to a task of that department, or correct the department on the list",
    ),
    "scope-matches-nothing": warning(
        "任务 {task} 的范围 {field} 含“{value}”，检查对象名录库中没有这样的企业",
        'the scope of task {task} has {field} "{value}", which no enterprise in the library has',
        "核对写法；现有：{names}",
        "check the spelling; there are: {names}",
    ),
}
