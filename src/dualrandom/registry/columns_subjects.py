"""The columns of the two name lists (两库): who can be inspected, and who inspects."""

from __future__ import annotations

from dualrandom.registry.library import Library, column

ENTERPRISES = Library(
    "enterprises",
    "检查对象名录库",
    "enterprises",
    (
        column(
            "id*",
            "统一社会信用代码",
            "unified social credit code",
            "社会信用代码|统一信用代码|信用代码|统一代码|统一社会信用代码/注册号|注册号|主体代码|检查对象编号|企业编号"
            "|主体编号|检查对象代码|单位统一社会信用代码|企业统一社会信用代码|检查对象统一社会信用代码|社会统一信用代码"
            "|行政相对人代码|纳税人识别号|uniscid|uscc|usci|credit code|unified social credit identifier|enterprise id|enterprise",
            '18 位统一社会信用代码（GB 32100-2015，大写，校验码正确）；计划设 enterprise_ids = "free" 时为其他编号，'
            "以字母或数字开头，由字母、数字和 . _ - 组成，最长 64 位。不得重复",
            "the 18-character unified social credit code (GB 32100-2015, upper case, check digit valid); with "
            'enterprise_ids = "free" another id: letters, digits and . _ -, a letter or digit first, at most 64. '
            "No two rows may share one",
            "91420704MA0000017E",
        ),
        column(
            "name*",
            "名称",
            "name",
            "企业名称|市场主体名称|检查对象名称|单位名称|主体名称|经营主体名称|字号名称|公司名称|检查对象|企业"
            "|市场主体|企业全称|单位全称|字号|商户名称|行政相对人|行政相对人名称|被检查对象|被检查对象名称|被检查单位|被检查单位名称"
            "|entname|enterprise name|company name|business name|company",
            "登记的名称",
            "the registered name",
            "鄂州市示范食品有限公司",
        ),
        column(
            "district*",
            "行政区划",
            "district",
            "区划|所属区划|区县|所属区县|所在区县|区划代码|行政区划代码|所在区|辖区|所属辖区|属地|行政区|所属行政区划"
            "|县区|县市区|县(市、区)|区(县)|所属县区|所在县区|所在辖区|区域|所属区域|所在区域|行政区域|管辖区域|管辖区划|行政区划名称"
            "|区县名称|district code|county|area",
            "计划 [[districts]] 中的代码或名称；计划未列区划时为任意代码。不由信用代码第 3–8 位推断：那是登记机关",
            "a code or name of the plan's [[districts]]; any code if the plan lists none. Never inferred from digits "
            "3–8 of the credit code: those name the registrar",
            "420704",
        ),
        column(
            "credit_class*",
            "信用风险分类",
            "credit class",
            "信用等级|信用风险等级|风险等级|信用分类|风险分类|信用类别|信用风险类别|分类等级|企业信用风险分类|企业信用风险等级"
            "|企业信用等级|信用风险分级|信用风险分类结果|信用风险分类等级|信用风险分类类别|企业信用风险分类等级|企业信用风险分类结果"
            "|风险分类结果|风险类别|分类结果|credit level"
            "|risk class|risk level|credit rating|class",
            "计划 classes 中的一类（默认 A、B、C、D，风险由低到高）；“A类”“A级”也可",
            "one of the plan's classes (default A, B, C, D, from low to high risk)",
            "B",
        ),
        column(
            "kind",
            "主体类型",
            "kind",
            "市场主体类型|企业类型|对象类型|检查对象类型|经营主体类型|企业(机构)类型|类型|entity type|object kind|type",
            "企业 enterprise、农民专业合作社 cooperative、个体工商户 individual，或计划的任务范围中所用的其他词；"
            "空为企业",
            "enterprise (企业), cooperative (农民专业合作社), individual (个体工商户), or another word that a task's "
            "scope uses; empty is enterprise",
            "企业",
        ),
        column(
            "industry",
            "行业代码",
            "industry",
            "行业|行业分类|国民经济行业代码|国民经济行业|国民经济行业分类|所属行业|行业门类|行业类别|industry code",
            "国民经济行业代码（GB/T 4754），可空；任务范围按其前缀选取",
            "GB/T 4754 code or empty; a task's scope selects by prefix",
            "C1411",
        ),
        column(
            "category",
            "许可类别",
            "category",
            "类别|许可类型|经营业态|业态|设施类型|监管类别|许可证类别|licence type|license type|facility type|facility",
            "许可、业态或设施的类别，可空；须与任务范围 categories 的写法一致",
            "licence, business or facility type, or empty; as a task's scope categories write it",
            "食品生产",
        ),
        column(
            "address",
            "地址",
            "address",
            "住所|经营场所|经营地址|注册地址|住所(经营场所)|住所/经营场所|生产经营地址|登记地址|经营场所地址|企业住所|企业地址|实际经营地址|详细地址"
            "|registered address|premises|street address",
            "检查地点，可空",
            "where the visit goes, or empty",
            "示范路 1 号",
        ),
        column(
            "closed",
            "不可检查日",
            "closed days",
            "休业日|停业日|歇业日|休息日|停业日期|歇业日期|不可检查日期|closed dates|closed on",
            "不能上门的日期，可空；多个以分号隔开，连续日期可写 2023-09-04~2023-09-06",
            "dates on which it cannot be visited, or empty; several separated by semicolons, a run of days as "
            "2023-09-04~2023-09-06",
            "2023-09-04;2023-09-11",
        ),
        column(
            "size",
            "规模",
            "size",
            "企业规模|规模类型|企业划型|划型|规模类别|enterprise size|scale",
            "规模，如 大型、中型、小型、微型，可空；任务范围的 where 按原样比较",
            "size, for instance 大型, 中型, 小型, 微型, or empty; where in a task's scope compares it as it stands",
            "小型",
        ),
        column(
            "abnormal",
            "经营异常",
            "abnormal operation",
            "经营异常名录|是否经营异常|是否列入经营异常名录|列入经营异常名录|异常名录|abnormal list|on the abnormal list",
            "是否在经营异常名录中：是或否；空为否",
            "whether it is on the list of abnormal operation: yes (是) or no (否); empty is no",
            "否",
        ),
        column(
            "last_report",
            "最近年报年度",
            "last annual report",
            "最近年报|年报年度|最后年报年度|最近一次年报年度|最新年报年度|last report|year of the last annual report",
            "最近一次已报年报所属的年度，可空；where 中的 years_without_report 由此与期间计算：年报次年 6 月 30 日到期",
            "the year that the last annual report is about, or empty; years_without_report in where is counted from it: "
            "a report is due by 30 June of the next year",
            "2022",
        ),
        column(
            "established",
            "成立日期",
            "established",
            "成立时间|注册日期|登记日期|设立日期|核准日期|设立时间|注册时间|开业日期|established on|date of establishment|registered on",
            "成立日期，可空；观察期内的新设企业由此判断",
            "date of establishment, or empty; policies may leave new firms alone for some months",
            "2019-05-20",
        ),
        column(
            "suspended_until",
            "歇业至",
            "suspended until",
            "歇业截止日|歇业截止日期|歇业期限至|歇业到期日|歇业期至|suspension ends",
            "歇业的最后一日，可空；整期歇业者不抽，期内结束者此前不排检查",
            "last day of a suspension of business, or empty; over the whole period it is not drawn, within the period it "
            "is closed until then",
            "2023-12-31",
        ),
        column(
            "street",
            "街道",
            "street",
            "街道乡镇|乡镇街道|街道名称|乡镇(街道)|所属乡镇|所属乡镇街道|所属街道|所在街道|镇街|乡镇|街道(乡镇)|subdistrict|town",
            "街道或乡镇，可空；只供任务范围的 where 选用",
            "subdistrict or town, or empty; only where in a task's scope asks for it",
            "凤凰街道",
        ),
    ),
)

INSPECTORS = Library(
    "inspectors",
    "检查人员名录库",
    "inspectors",
    (
        column(
            "code*",
            "人员编号",
            "inspector code",
            "编号|人员编码|人员代码|检查人员编号|检查人员编码|执法人员编号|执法人员编码|员工编号|人员ID|工号|inspector id|staff id|id|inspector",
            "人员的唯一编号：字母、数字和 . _ -，以字母或数字开头，最长 64 位。没有此列时以执法证号代替",
            "the person's unique code: letters, digits and . _ -, a letter or digit first, at most 64. A file without "
            "this column is read with the licence number in its place",
            "amr-001",
        ),
        column(
            "name*",
            "姓名",
            "name",
            "检查人员|检查人员姓名|执法人员|执法人员姓名|执法检查人员|人员姓名|检查员|检查员姓名|执法员|full name|inspector name",
            "姓名；密封抽取时不公布",
            "the person's name; not published by a sealed draw",
            "张三",
        ),
        column(
            "department*",
            "部门",
            "department",
            "所属部门|单位|所属单位|工作单位|执法部门|所在部门|所在单位|检查部门|执法主体|部门名称|单位名称|工作部门"
            "|执法机构|执法机构名称|执法机关|执法单位|所属执法机关|所属机构|机构|机构名称|检查机构|检查单位|agency|unit",
            "计划 [[departments]] 中的代码或名称",
            "an id or name of the plan's [[departments]]",
            "amr",
        ),
        column(
            "districts",
            "执法区域",
            "districts",
            "区划|行政区划|所属区划|服务区划|管辖区域|执法辖区|辖区|所属辖区|执法区划|district|area|areas",
            "可执法的区划代码或名称，多个以分号隔开；空、“全部”或“全市”为全部区划",
            "ids or names of the districts served, several separated by semicolons; empty, all or 全市 is every district",
            "420704;420703",
        ),
        column(
            "marks",
            "标记/资格",
            "marks",
            "标记|资格|资质|专业资格|岗位资格|执法资格|资格标记|专业资质|岗位|qualifications|qualification|tags",
            "资格代码，多个以分号隔开；leader（组长）为可带队的人，其余代码与事项的资格要求对应",
            "codes of qualifications, several separated by semicolons; leader (组长) may lead a crew, the others answer "
            "the items' marks",
            "leader;food",
        ),
        column(
            "licence*",
            "执法证号",
            "licence number",
            "执法证件号|执法证编号|执法证件编号|行政执法证号|行政执法证件号|行政执法证编号|执法证件号码|执法证号码|证件号"
            "|证号|证件编号|行政执法证件编号|行政执法证件号码|行政执法证号码|执法证|执法证件|license|license number|licence no|license no|enforcement licence",
            "有效行政执法证的编号；第三方、协管和临时人员无证，不得入库",
            "number of the valid enforcement licence; third parties, assistants and temporary staff have none and do "
            "not belong here",
            "42070000001",
        ),
        column(
            "valid_until",
            "证件有效期",
            "licence valid until",
            "有效期|有效期至|证件有效期至|执法证有效期|执法证有效期至|有效期止|有效截止日期|证件到期日|到期日|有效期限"
            "|执法证到期日|执法证件有效期|执法证件有效期至|证件有效期止|有效期截止日期"
            "|valid until|expiry|expires|expiry date",
            "执法证的最后有效日，可空或“长期”；早于检查期即拒绝，检查期内到期则此后不排检查",
            "last day on which the licence is valid, or empty or 长期 (unlimited); before the period it is refused, "
            "within the period the person is absent from then on",
            "2027-12-31",
        ),
        column(
            "days_off",
            "休假日",
            "days off",
            "休假|请假日|不可用日期|不可用日|缺勤日|休假日期|请假日期|请假|leave|absent|absences|absent on",
            "不能参加检查的日期，可空；写法同不可检查日",
            "dates on which the person cannot inspect, or empty; written like closed days",
            "2023-09-04~2023-09-08",
        ),
        column(
            "daily",
            "每日上限",
            "daily cap",
            "日上限|每日最多|每日检查上限|每天上限|每日最多检查数|max per day|daily limit",
            "一天最多参加的检查数，0 或正整数；空则按计划 [caps]",
            "most visits a day, 0 or a positive integer; empty: the plan's [caps]",
            "2",
        ),
        column(
            "total",
            "总上限",
            "total cap",
            "期间上限|总数上限|总量上限|检查期上限|检查总数上限|total limit|max per period",
            "检查期内最多参加的检查数，0 或正整数；空则按计划 [caps]",
            "most visits in the period, 0 or a positive integer; empty: the plan's [caps]",
            "20",
        ),
    ),
)
