"""Programmes as a file describes them."""

# A file with nothing but what must be there, and one topic. Its lines are counted by hand in
# `test_programme_files.py`.
SMALL = """\
programme:
  slug: moujiu-15
  title: 某区“十五五”规划编制
  full_title: 某区第十五个五年规划编制工作
  plan_title: 某区第十五个五年规划
  ordinal: 15
  region: 某市某区
  period: {from: 2026, to: 2030}
  source: {title: 通知, document: 方案, issued_by: 某区人民政府}
units:
  - {slug: fgw, name: 区发展改革委, kind: department}
gates:
  leading_group: {mark: "●", title: 报领导小组}
stages:
  - key: research
    ordinal: 1
    numeral: 一
    title: 前期研究阶段
    short: 前期研究
    from: "2024-05"
    to: "2025-01"
    nodes:
      - {ordinal: 1, title: 研究, from: "2024-05", to: "2024-09", gate: leading_group}
topic_groups:
  general: 总课题
topics:
  - key: g1
    number: 1
    group: general
    title: 总体思路研究
    division: 区发展改革委牵头
    lead: fgw
moments:
  - ordinal: 1
    key: open
    stage: research
    nodes: [1]
    from: "2024-06"
    to: "2024-07"
    title: 征求意见
    public: true
    audience: 全社会
    basis: 广泛征求意见
"""
