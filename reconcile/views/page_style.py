"""How the page looks, in light and in dark. One constant; knows no content."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--ground:#f3f5f8;--card:#fff;--ink:#1c2128;--soft:#57606a;--line:#d5dbe2;--focus:#0957d0;
--add:#16732f;--add-bg:#dff6e5;--change:#8a5a00;--change-bg:#fff3c9;--remove:#c41e2a;--remove-bg:#ffe7e5;
--danger:#9a1bb0;--danger-bg:#f9e2fc;--quiet:#0b6a84;--quiet-bg:#dcf2f9;--none:#6b7480;--none-bg:#eceff2}
@media (prefers-color-scheme:dark){:root{--ground:#0f141a;--card:#181f28;--ink:#e8edf3;--soft:#9ba7b4;--line:#313b47;
--focus:#7fb6ff;--add:#56d36f;--add-bg:#12301c;--change:#e9b949;--change-bg:#352a0c;--remove:#ff8078;--remove-bg:#3d1a1b;
--danger:#e08cf2;--danger-bg:#371641;--quiet:#63c8e6;--quiet-bg:#0d303c;--none:#8a95a1;--none-bg:#252d37}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
code,.mono{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
header,main,footer{max-width:1160px;margin:0 auto;padding:0 24px}
header{padding-top:36px}
h1{font-size:27px;line-height:1.25;margin:0 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:18px;margin:0 0 4px}
h1 small{display:block;font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--soft)}
.lead{font-size:17px;margin:0 0 14px}
.soft{color:var(--soft)}
.facts{display:flex;flex-wrap:wrap;gap:4px 28px;margin:0 0 18px;font-size:13.5px}
.facts div{display:flex;gap:7px}.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;padding:0;margin:0 0 20px}
a{color:var(--focus)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px;margin:0 0 20px}
.alert{border-left:6px solid var(--remove)}
.alert.unknown{border-left-color:var(--danger)}.alert.partial{border-left-color:var(--change)}
.alert ul,.plain{margin:8px 0 0;padding-left:20px}.alert li,.plain li{margin:5px 0;overflow-wrap:anywhere}
.alert .hint{display:block;color:var(--soft)}
.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:12px;background:var(--card);padding:8px 14px;
border-radius:8px;z-index:9}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:6px}
.tools{display:flex;flex-wrap:wrap;gap:10px;align-items:center;margin:14px 0 6px}
.tools>*{margin:0}
.tools:has(>[hidden]:only-child){display:none}
.tools label{font-weight:600}
input[type=search]{flex:1 1 260px;min-width:0;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);
border-radius:8px;padding:8px 12px}
button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:7px 13px;cursor:pointer}
button:hover{border-color:var(--soft)}
.chips{display:flex;flex-wrap:wrap;gap:8px;border:0;padding:0;margin:8px 0 4px;min-width:0}
.chips legend{font-weight:600;padding:0;margin-bottom:6px}
.chip{display:inline-flex;gap:8px;align-items:baseline;border-radius:999px;padding:5px 14px}
.chip b{font-variant-numeric:tabular-nums}
.chip[aria-pressed=true]{background:var(--tone-bg);border-color:var(--tone);box-shadow:inset 0 0 0 1px var(--tone)}
.add{--tone:var(--add);--tone-bg:var(--add-bg)}.change{--tone:var(--change);--tone-bg:var(--change-bg)}
.remove{--tone:var(--remove);--tone-bg:var(--remove-bg)}.danger{--tone:var(--danger);--tone-bg:var(--danger-bg)}
.quiet{--tone:var(--quiet);--tone-bg:var(--quiet-bg)}.none{--tone:var(--none);--tone-bg:var(--none-bg)}
.act{color:var(--tone);background:var(--tone-bg);border-radius:6px;padding:1px 8px;white-space:nowrap}
.count{margin:10px 0;color:var(--soft);font-variant-numeric:tabular-nums}
.rows{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}
.rows>li{border-bottom:1px solid var(--line)}
.rows summary{display:grid;grid-template-columns:104px minmax(0,1fr) auto;gap:4px 14px;align-items:baseline;padding:9px 6px 9px 0;
cursor:pointer;list-style:none}
.rows summary::-webkit-details-marker{display:none}
.rows summary:hover .addr{text-decoration:underline}
.addr{font-weight:600}
.rows details[open]>summary .addr::after{content:" \\25BE"}.addr::after{content:" \\25B8";color:var(--soft)}
.side{color:var(--soft);font-size:13px;text-align:right;overflow-wrap:anywhere}
.more{padding:2px 0 18px 118px}
.more dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:0 0 10px}
.more dt{color:var(--soft)}.more dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;table-layout:fixed}
caption{text-align:left;color:var(--soft);padding-bottom:4px}
th,td{text-align:left;vertical-align:top;padding:5px 10px;border:1px solid var(--line);overflow-wrap:anywhere}
thead th{font-size:13px;background:var(--ground)}
tbody th{font-weight:400;width:26%}
col.field{width:26%}
.same td,.same th{color:var(--soft)}
td.old{background:var(--remove-bg)}td.new{background:var(--add-bg)}
td.gone{color:var(--soft)}
.scroll{overflow-x:auto;margin:14px 0 10px}
.chart{display:block;max-width:100%;min-width:820px;height:auto;
font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.chart text{fill:var(--ink)}.chart .tick,.chart .soft,.chart .about{fill:var(--soft)}.chart .tick{text-anchor:middle}
.chart .lane{text-anchor:end}.chart .grid{stroke:var(--line)}
.chart .bar{fill:var(--tone)}.chart .was{fill:var(--card);opacity:.75}
.chart .due{fill:var(--card);stroke:var(--ink);stroke-width:1.5}
.chart .box{fill:var(--ground);stroke:var(--line)}.chart .name{font-weight:600}.chart text.word{fill:var(--tone)}
.chart .edge{fill:none;stroke:var(--tone);stroke-width:1.6}.chart .head{fill:var(--tone)}
.legend{display:flex;flex-wrap:wrap;gap:4px 22px;list-style:none;padding:0;margin:8px 0 0;font-size:13.5px;color:var(--soft)}
.legend li{display:flex;gap:8px;align-items:center}.legend li::before{content:"";width:22px;height:10px;border-radius:5px;
background:var(--quiet)}
.legend .before::before{height:4px}.legend .due::before{width:10px;border-radius:0;transform:rotate(45deg);
background:var(--card);border:1.5px solid var(--ink)}
details.asText{margin-top:6px}details.asText>summary{cursor:pointer;color:var(--focus)}
details.asText table{margin-top:10px}
footer{color:var(--soft);font-size:13px;padding-bottom:40px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:700px){header,main,footer{padding-left:14px;padding-right:14px}.card{padding:16px 14px}
.rows summary{grid-template-columns:96px minmax(0,1fr)}.side{grid-column:2;text-align:left}.more{padding-left:0}}
@media print{.tools,.chips,nav,.skip{display:none}body{background:none}.card{break-inside:avoid-page}}
"""
