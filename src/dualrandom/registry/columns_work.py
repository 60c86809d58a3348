"""The columns of the item list (一单), of recusals and of past visits."""

from __future__ import annotations

from dualrandom.registry.library import Library, column

ITEMS = Library(
    "items",
    "抽查事项清单",
    "items",
    (
        column(
            "id*",
            "事项编号",
            "item id",
            "事项编码|事项代码|编号|抽查事项编号|抽查事项编码|检查事项编号|检查事项编码|随机抽查事项编号|随机抽查事项编码|抽查事项代码"
            "|清单编号|item code|item",
            "事项的唯一编号：字母、数字和 . _ -，以字母或数字开头，最长 64 位",
            "the item's unique id: letters, digits and . _ -, a letter or digit first, at most 64",
            "i01",
        ),
        column(
            "name*",
            "抽查事项",
            "item name",
            "事项名称|检查事项|抽查事项名称|检查事项名称|事项|检查内容|随机抽查事项|随机抽查事项名称|抽查项目|检查项目|名称"
            "|check item",
            "清单所列的名称",
            "the name as the list has it",
            "食品生产监督检查",
        ),
        column(
            "name_en",
            "英文名称",
            "English name",
            "事项英文名称|英文|name en|english",
            "英文名称；空则用中文名称",
            "the English name; empty: the Chinese one",
            "food production",
        ),
        column(
            "department*",
            "部门",
            "department",
            "检查部门|抽查部门|检查主体|抽查主体|实施部门|责任部门|执法部门|所属部门|牵头部门|实施主体|实施单位"
            "|主管部门|监管部门|责任单位|执法主体|检查机关|检查单位|agency",
            "有权实施该事项的部门：计划 [[departments]] 中的代码或名称",
            "who may check it: an id or name of the plan's [[departments]]",
            "amr",
        ),
        column(
            "basis*",
            "法律依据",
            "legal basis",
            "抽查依据|检查依据|依据|执法依据|法规依据|法律法规依据|实施依据|设定依据|法定依据|监管依据|抽查法律依据|检查法律依据|basis in law",
            "法律、法规或规章及条款；没有依据的事项不得检查",
            "law or regulation and article; an item without one cannot be checked",
            "《中华人民共和国食品安全法》第一百一十条",
        ),
        column(
            "category",
            "事项类别",
            "item category",
            "类别|事项类型|抽查类别|抽查事项类别|item type",
            "一般 general 或重点 key；空为一般",
            "general (一般) or key (重点); empty is general",
            "general",
        ),
        column(
            "marks",
            "资格要求",
            "marks required",
            "所需资格|标记|资格|人员要求|人员资格要求|标记/资格|marks|required marks|qualification",
            "检查人员须有的资格代码，多个以分号隔开，可空",
            "codes of the qualifications that a crew needs for it, several separated by semicolons, or empty",
            "food",
        ),
        column(
            "hours",
            "检查时长",
            "hours",
            "工时|时长|所需时间|小时|预计时长|检查时长(小时)|检查工时|duration",
            "一次检查的小时数：整数、小数或分数，如 1、1.5、1/2；空为 1",
            "hours that one check takes: a whole number, decimal or fraction such as 1, 1.5, 1/2; empty is 1",
            "1.5",
        ),
        column(
            "valid_from",
            "生效日期",
            "valid from",
            "有效期起|生效日|开始日期|实施日期|施行日期|in force from",
            "清单中该事项的生效日，可空",
            "first day in force, or empty",
            "2023-01-01",
        ),
        column(
            "valid_until",
            "失效日期",
            "valid until",
            "有效期|有效期至|有效期止|截止日期|失效日|废止日期|in force until|expiry",
            "该事项的最后有效日，可空或“长期”；任务的事项须在整个检查期内有效",
            "last day in force, or empty or 长期 (unlimited); a task's items must be in force over the whole period",
            "2025-12-31",
        ),
    ),
)

RECUSALS = Library(
    "recusals",
    "回避名单",
    "recusals",
    (
        column(
            "inspector*",
            "检查人员",
            "inspector",
            "人员编号|检查人员编号|检查人员编码|执法人员|执法人员编号|人员|工号|inspector code|inspector id|code",
            "检查人员名录库中的编号",
            "code of a person in the inspectors' library",
            "amr-001",
        ),
        column(
            "other*",
            "回避对象",
            "recused from",
            "对象|企业|统一社会信用代码|回避企业|回避人员|相对人|检查对象|回避对象编号|回避对象代码|enterprise|counterpart"
            "|colleague",
            "企业的统一社会信用代码（不得检查该企业），或另一检查人员的编号（不得同组）",
            "id of an enterprise (not to be checked by this person) or code of another inspector (not to serve "
            "together)",
            "91420704MA0000017E",
        ),
        column(
            "ground*",
            "回避事由",
            "ground",
            "事由|回避原因|原因|理由|回避情形|回避理由|回避事由代码|reason",
            "事由代码 spouse、direct-line、collateral、in-law、interest、influence、employment、shareholding、application、"
            "kin、other 或其他代码；夫妻、直系血亲、三代以内旁系血亲、近姻亲、利害关系、其他影响、曾任职、持股、企业申请、"
            "同事亲属、其他等中文也可",
            "a code: spouse, direct-line, collateral, in-law, interest, influence, employment, shareholding, "
            "application, kin, other, or one of your own; the Chinese words are read too",
            "spouse",
        ),
    ),
)

VISITS = Library(
    "visits",
    "既往检查记录",
    "past visits",
    (
        column(
            "enterprise*",
            "统一社会信用代码",
            "enterprise",
            "检查对象|企业|企业编号|检查对象编号|社会信用代码|信用代码|单位统一社会信用代码|企业统一社会信用代码"
            "|检查对象统一社会信用代码|社会统一信用代码|对象|uscc|enterprise id|id",
            "被检查企业的编号，同检查对象名录库",
            "id of the enterprise visited, as in the enterprises' library",
            "91420704MA0000017E",
        ),
        column(
            "date*",
            "检查日期",
            "date",
            "日期|检查时间|检查日|检查完成日期|visited on|visit date",
            "检查的日期，不晚于检查期末",
            "day of the visit, not after the end of the period",
            "2023-03-15",
        ),
        column(
            "department*",
            "检查部门",
            "department",
            "部门|实施部门|执法部门|所属部门|检查机关|检查主体|检查单位|检查机构|执法机构|执法单位|agency",
            "计划 [[departments]] 中的代码或名称",
            "an id or name of the plan's [[departments]]",
            "amr",
        ),
        column(
            "task",
            "抽查任务",
            "task",
            "任务|任务编号|抽查任务编号|任务代码|task id",
            "当时计划的任务编号，可空",
            "id of the task of the plan that it belonged to, or empty",
            "t01",
        ),
        column(
            "item",
            "抽查事项",
            "item",
            "事项|事项编号|检查事项|抽查事项编号|检查事项编号|事项代码|item id",
            "事项编号，可空",
            "id of the item checked, or empty",
            "i01",
        ),
        column(
            "inspectors",
            "检查人员",
            "inspectors",
            "人员|执法人员|检查人员编号|执法人员编号|检查组|crew|inspector codes",
            "检查人员编号，多个以分号隔开，可空",
            "codes of the people who inspected, several separated by semicolons, or empty",
            "amr-001;amr-002",
        ),
        column(
            "kind",
            "检查类别",
            "kind",
            "检查类型|任务类型|类型|检查方式|检查性质|visit kind|type",
            "计划 plan、个案 case、专项 special；空为计划",
            "plan (计划), case (个案) or special (专项); empty is plan",
            "plan",
        ),
    ),
)
