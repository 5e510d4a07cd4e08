"""Renders small templates as transformers does and writes cases.json, which JinjaCasesTest reads.

    pip install transformers==5.23.0 jinja2==3.1.6
    python cases.py

Every template is a few words of its own that exercise what templates of real checkpoints are made
of. A case whose rendering fails in Python must fail here too.
"""

import datetime
import json
import pathlib

import jinja2
import transformers
from transformers.utils import chat_template_utils as chat

NOW = datetime.datetime(2026, 3, 7, 5, 9, 2, 40)


class PinnedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


chat.datetime = PinnedTime

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather – <b>now</b> & \"soon\"",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 3}},
            "required": ["city"],
        },
    },
}
USER = {"role": "user", "content": "  Hi é 中 😀 'x'\n"}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "n": 1.0}}}
    ],
}
CHAT = [
    {"role": "system", "content": "Be brief."},
    USER,
    CALL,
    {"role": "tool", "name": "get_weather", "tool_call_id": "c1", "content": "{\"t\": 7}"},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\nSeven."},
    {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "image"}, {"type": "text", "text": " then?"}]},
]
VALUES = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "messages": CHAT,
    "tools": [TOOL],
    "no_tools": None,
    "add_generation_prompt": True,
    "enable_thinking": False,
    "t": True,
    "f": False,
    "zero": 0,
    "n": 7,
    "neg": -7,
    "big": 123456789012345678901234567890,
    "x": 2.5,
    "empty": "",
    "s": "Hello, World",
    "u": "naïve 😀🎉 straße",
    "ws": " \t\u00a0 a b\u2003c \n",
    "lines": "a\nb\r\nc\n",
    "nums": [3, 1, 2],
    "words": ["b", "A", "c"],
    "nothing": [],
    "d": {"b": 1, "a": [1, 2.0, None, True, "q'\"\n"], "items": "mine"},
    "floats": [0.1, 1e16, 1e-5, 123456.789, 1e22, 5e-324, 0.0001, -0.0, 1.7976931348623157e308, 9007199254740993.0, 100.0, 2.0**60],
    "pairs": [["k", 1], ["l", 2]],
    "html": "<a href=\"x\">&amp;'</a>",
    "people": [{"name": "Bo", "age": 3, "tags": ["x"]}, {"name": "al", "age": 5}, {"name": "Cy", "age": 4}],
}

CASES = []


def add(group, *templates):
    CASES.extend((group, template) for template in templates)


def each(group, *expressions):
    add(group, *("{{ %s }}" % e for e in expressions))


each("print", "t", "f", "none", "n", "x", "big", "s", "nums", "d", "floats", "pairs", "()", "(1,)", "(1, 'a')", "1, 2",
     "unknown", "[unknown is defined, none]", "'it\\'s'", "['it\\'s', \"q\\\"\", \"b\\'\\\"\"]", "['\\x00\\u200b\\u00e9\\\\']",
     "{'a': {'b': ()}}", "range(3)", "range(1, 9, 2)|list", "d.keys()", "d.items()", "1e3", "1_000", "0x1F", "0b101", "0o17", "1.5e-7",
     "'a' 'b'", "'\\u00e9\\x41\\101\\q\\\n!'", "messages[1]", "[1,2,]", "{'a':1,}", "True, False, None", "-0.0", "1e400", "[1e400, -1e400]")
each("truth", *("%s and 'yes' or 'no'" % v for v in ("t", "f", "none", "zero", "n", "empty", "s", "nothing", "nums", "unknown", "{}", "0.0", "()", "range(0)", "d.items()", "nums|select", "nothing|select", "nums|map('string')")),
     "not t", "not unknown", "t and s", "empty or 'd'", "f or none", "1 if t else 2", "1 if f", "(1 if f) is defined", "not t is defined", "not (n == 7)", "n if n > 3 else x if x else s")
each("compare", "1 == 1.0", "1 == true", "'a' == 'a'", "[1] == [1.0]", "(1,) == [1]", "{'a': 1} == {'a': 1.0}", "none == unknown", "unknown == other", "none == none",
     "1 < 2 < 3", "1 < 3 < 2", "3 > 2 >= 2", "'a' < 'b'", "'z' > 'a'", "'z' >= 'a'", "'a' >= 'z'", "'a' <= 'z'", "'Z' < 'a'", "'\\uffff' < '😀'", "[1, 2] < [1, 3]", "1 < 'a'", "none < 1", "1 != 2", "'a' in s", "'World' in s", "'z' not in s",
     "1 in nums", "9 not in nums", "'b' in d", "'z' in d", "1 in 'abc'", "none in nums", "unknown in nums", "1 in unknown", "true in [1]", "big == big", "big > 1", "1 in n", "not 'a' in s", "n == 7 and x == 2.5", "t is true == f")
each("math", "1 + 2", "1 + 2.0", "7 // 2", "neg // 2", "neg % 3", "7 % -3", "7.5 % 2", "neg % 2.5", "7 / 2", "6 / 2", "2 ** 10", "2 ** -1", "2 ** 0.5", "-2 ** 2", "2 ** 3 ** 2", "1 - - 1", "+n", "-x", "-t",
     "t + t", "nums + [4]", "'a' + 'b'", "'ab' * 3", "3 * 'ab'", "nums * 2", "'a' * -1", "(1,) + (2,)", "(1,) * 2", "big + 1", "big * big", "9223372036854775807 + 1", "-9223372036854775807 - 2", "1 / 0", "1 // 0", "1 % 0", "1 + 'a'", "'a' + 1", "none + 1", "unknown + 1", "1 - unknown", "-'a'",
     "1 ~ 2", "s ~ none ~ t ~ 1.0 ~ unknown", "1 + 2 ~ 3 * 4", "0.1 + 0.2", "1 / 3", "1e16 + 1", "10 // 3.0", "2 * 3 + 4 * 5 - 6 / 4", "(1 + 2) * 3", "messages | length - 1", "n - 1 | abs", "-n | abs", "1.0 * 3", "1e300 * 1e10")
each("access", "d.b", "d['b']", "d.nope", "d['nope']", "d.items", "d['items']", "d.get('b')", "d.get('z')", "d.get('z', 5)", "d.nope.deeper", "unknown.x", "unknown['x']", "none.x", "n.x", "s.x", "nums.x", "nums[0]", "nums[-1]", "nums[9]", "nums['a']", "nums.0", "s[0]", "s[-1]", "u[6]", "u[-1]", "s[99]",
     "nums[true]", "d[1]", "d[none]", "messages[0].role", "messages[0]['role']", "messages[-1].content[0].text", "messages[1:]|length", "messages[:-1]|length", "messages[9].role", "d.a[4]", "d.keys()|list", "d.values()|list|length", "d.items()|list|length", "d.copy()", "d.items()[0]",
     "d.update({})", "nums.append(1)", "nums.pop()", "d.__class__", "s.__class__.__mro__", "s.nope()", "n()", "none()", "unknown()", "nums.index(1)", "nums.count(3)", "nums.index(99)", "'abc'.upper", "d.nope is defined", "(d.nope).x is defined")
each("slice", *("%s[%s]" % (v, c) for v in ("nums", "s", "u", "(1, 2, 3, 4)") for c in ("1:", ":1", ":-1", "-2:", "::-1", "::2", "1:2", "5:", "::-2", "-1::-1", ":", "2:0:-1", "-99:99", "99:-99:-1")), "no_tools[1:]", "unknown[1:]", "nums[::0]", "nums['a':]", "nums[1.0:]", "nums[none:2]", "n[1:]", "d[1:]")
each("str", "s.upper()", "s.lower()", "u.upper()", "u.title()", "\"they're bill's o'clock x2y\".title()", "'hELLO wORLD'.capitalize()", "s.startswith('He')", "s.startswith(('x', 'H'))", "s.endswith('ld')", "s.startswith('lo', 3)", "s.startswith('', 99)", "s.endswith('o', 0, 5)", "s.startswith(1)",
     "ws.strip()", "ws.lstrip()", "ws.rstrip()", "'xxabxx'.strip('x')", "'xyabyx'.lstrip('xy')", "'ab\\n\\n'.rstrip('\\n')", "'abc'.strip('')", "ws.split()", "s.split(', ')", "s.split('l', 1)", "s.split('zz')", "''.split()", "''.split(',')", "' a  b '.split(' ')", "' a b  c '.split(none, 1)", "s.split('')", "s.rsplit('l', 1)", "s.rsplit('l')", "'a,b,c'.split(',', maxsplit=1)", "'a,b,c'.split(sep=',')",
     "lines.splitlines()", "lines.splitlines(true)", "s.replace('l', 'L')", "s.replace('l', 'L', 1)", "'abc'.replace('', '-')", "'abc'.replace('', '-', 2)", "s.find('o')", "s.rfind('o')", "s.find('zz')", "u.find('s')", "s.index('zz')", "s.count('l')", "'aaa'.count('aa')", "'abc'.count('')", "s.find('o', 5)", "s.find('l', -3)", "u.rfind('🎉')",
     "'-'.join(['a', 'b'])", "'-'.join('abc')", "'-'.join([1])", "''.join([])", "s.partition(', ')", "s.rpartition('l')", "s.partition('zz')", "s.rpartition('zz')", "s.removeprefix('Hello')", "s.removesuffix('World')", "s.removeprefix('x')",
     "'12'.isdigit()", "'1a'.isdigit()", "''.isdigit()", "'ab'.isalpha()", "'a1'.isalnum()", "' \\t'.isspace()", "'AB1'.isupper()", "'ab1'.islower()", "'1'.isupper()", "'ab'.center(5)", "'ab'.center(7, '*')", "'abc'.center(6, '-')", "'abcd'.center(7, '-')", "'ab'.ljust(4) ~ '|'", "'ab'.rjust(4)", "'-7'.zfill(4)", "s.split(',')[0].strip().lower()", "('a' if t else 'b').upper()", "'%s' % 1" if False else "'x'.upper()", "s.startswith()", "s.upper(1)", "'ß'.capitalize()", "'ǆ'.title()", "'ΑΣ'.lower()")
each("test", *("%s is %s" % (v, c) for v in ("unknown", "none", "t", "zero", "n", "x", "s", "nums", "d", "(1,)", "d.items()", "range", "nums|map('abs')", "range(2)") for c in ("defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping", "iterable", "sequence", "callable")),
     "n is odd", "n is even", "n is not odd", "n is divisibleby 7", "n is divisibleby(3)", "'ab' is lower", "'AB' is upper", "n is eq 7", "n is equalto(7)", "n is ne 7", "n is gt 3", "n is lt 3", "n is ge 7", "n is le 7", "n is greaterthan 3", "n is lessthan(9)", "n is in [7]", "n is not in [7]", "t is sameas true", "none is sameas none", "n is sameas true", "'upper' is filter", "'nope' is filter", "'odd' is test", "n is nope", "s is string and t", "s is string or f", "'a' if s is string else 'b'", "s is not none and s is not mapping", "x is odd", "s is odd")
each("filter", "s|upper", "s|lower", "u|title", "\"they're (here) [now]-ok <x>\"|title", "s|capitalize", "ws|trim", "'xax'|trim('x')", "n|string ~ '!'", "nums|length", "s|count", "u|length", "d|length", "unknown|length", "n|length", "nums|first", "nums|last", "s|first", "s|last", "nothing|first", "nothing|last is defined", "d|first", "nums|reverse|list", "s|reverse", "nums|reverse|length",
     "nums|join", "nums|join(', ')", "people|join(', ', attribute='name')", "[none, t, 1.0]|join('|')", "unknown|join", "nums|sort", "words|sort", "words|sort(case_sensitive=true)", "words|sort(reverse=true)", "people|sort(attribute='age')|map(attribute='name')|list", "people|sort(true, attribute='name')|map(attribute='name')|join(' ')", "[1, 'a']|sort",
     "nums|max", "nums|min", "words|max", "people|max(attribute='age')", "nothing|max", "nums|sum", "people|sum(attribute='age')", "people|sum('age', 10)", "nums|unique|list", "['a', 'A', 'b', 1]|unique|list", "nums|list", "s|list", "d|list", "d|items|list", "none|items", "unknown|items|list", "d|dictsort", "d|dictsort(reverse=true)", "{'x': 2, 'y': 1}|dictsort(by='value')",
     "people|map(attribute='name')|list", "people|map(attribute='tags.0')|list", "people|map(attribute='tags', default='-')|list", "words|map('upper')|list", "words|map('replace', 'b', 'B')|join", "people|selectattr('age', 'gt', 3)|map(attribute='name')|list", "people|selectattr('tags')|list|length", "people|selectattr('tags', 'defined')|list|length", "people|rejectattr('age', 'equalto', 5)|list|length", "nums|select('odd')|list", "nums|reject('odd')|list", "[0, 1, '', none]|select|list", "messages|selectattr('role', '==', 'user')|list|length", "messages|rejectattr('role', 'in', ['user', 'tool'])|map(attribute='role')|join(',')", "none|select|list", "none|list", "nums|map('nope')", "nums|select('nope')|list", "nums|map",
     "unknown|default('x')", "unknown|d('x')", "empty|default('x')", "empty|default('x', true)", "none|default('x')", "none|default('x', boolean=true)", "d.nope|default([])", "unknown|default", "unknown.x|default('y')", "'1.5'|float", "'a'|float", "'a'|float(2)", "n|float", "none|float", "'12'|int", "'1.9'|int", "x|int", "neg|int", "'z'|int", "'z'|int(5)", "t|int", "'0x1f'|int", "neg|abs", "-2.5|abs", "2.567|round", "2.567|round(2)", "2.5|round", "3.5|round", "2.1|round(0, 'ceil')", "2.9|round(method='floor')", "n|round", "2.675|round(2)",
     "'a\\nb\\n\\nc'|indent", "'a\\nb'|indent(2)", "'a\\nb'|indent(2, true)", "'a\\n\\nb'|indent(2, blank=true)", "'a\\nb\\n'|indent('> ')", "'a\\nb'|indent(width=3, first=true)", "s|replace('l', 'L')", "s|replace('l', 'L', 1)", "n|replace('7', '8')", "lines|indent", "n|indent", "nums|length|indent", "s|wordcount", "nums|batch(2)|list", "nums|batch(2, 0)|list", "s|center(20)", "s|nope", "s|upper|lower|title", "'a'|string|length", "unknown|upper", "unknown|trim", "none|upper", "none|trim", "html", "html|safe", "html|upper|safe", "html|safe ~ '<'", "(html|safe) == html", "html|safe is string", "d|tojson|safe", "html|safe|tojson", "empty|safe or 'x'", "[html|safe]|join('<')", "html|safe|safe", "unknown|safe", "nums|length > 2", "nums|length == 3 and t", "(nums|length) - 1", "nums|join(',')|upper ~ 'z'", "not nums|length", "unknown|list", "unknown|sort", "unknown|sum", "unknown|int", "unknown|float", "unknown|abs", "unknown|string", "unknown|replace('a','b')", "unknown|first is defined", "unknown|map('upper')|list", "unknown|reverse|list", "unknown|round")
each("json", "tools|tojson", "tools[0]|tojson(indent=4)", "tools|tojson(indent=2)", "d|tojson", "none|tojson", "t|tojson", "x|tojson", "floats|tojson", "big|tojson", "u|tojson", "u|tojson(ensure_ascii=true)", "html|tojson", "'\\u007f\\u0001\\b\\f\\n\\r\\t\\\\\"/\\u2028'|tojson", "'\\u007f'|tojson(ensure_ascii=true)", "(1, 2)|tojson", "{}|tojson(indent=2)", "[[], {}]|tojson(indent=1)", "{1: 2, none: 3}|tojson", "d|tojson(sort_keys=true)", "{'b': 1, 'a': 2}|tojson(separators=(',', ':'))", "{'b': 1}|tojson(indent=2, separators=(',', ' = '))", "{'a': 1}|tojson(indent='\\t')", "unknown|tojson", "range(3)|tojson", "d.items()|list|tojson", "d.keys()|tojson", "nums|map('string')|tojson", "namespace(a=1)|tojson", "[1e400]|tojson", "messages[2].tool_calls[0].function.arguments|tojson", "tools|map(attribute='function')|list|tojson", "tools[0].function.parameters.properties|tojson(indent=0)")
each("time", *("strftime_now('%s')" % f for f in ("%d %b %Y", "%Y-%m-%d", "%B %-d, %Y", "%A %a %H:%M:%S %p %I", "%j %y %e %%", "%F %T", "%-m/%-d/%y %-I", "%f", "%Z|%z|", "date")))
each("call", "raise_exception('no!')", "raise_exception('a' ~ n)", "range(2, 5)|list", "range(5, 2, -1)|list", "range(0)|list", "range(100001)", "dict(a=1, b=2)", "dict({'x': 1}, y=2)", "namespace(a=1).a", "namespace(a=1).b is defined", "range()", "range('a')", "dict(a=1).items()|list", "namespace({'q': 2}).q")
add("space", "a\n  {% if t %}\n  b\n  {% endif %}\nc\n", "a\n  {%- if t -%}  \n  b\n  {%- endif -%}\n  c", "a  {% if t %}  b  {% endif %}  c", "  {{ n }}\n  {{- n }}  {{ n -}}  \n x", "{% if t %}\n\nx{% endif %}\n\n", "x\n\n", "x\n", "x\r\n{% if t %}\r\ny\r\n{% endif %}\rz", "a\n   {#- c -#}\n  b", "a\n   {# c #}\n  b", "a\n {# c #} b", "\t{% if t %}\t{% endif %}\t\n", "a {%+ if t %}b{%+ endif +%}\n c", "a\n  {%+ if t %}\n b{% endif %}", "{{ 'x' }}\n\n{{ 'y' }}\n", "  {% set a = 1 %}  {% set b = 2 %}\n{{ a }}{{ b }}", "{#+ c +#}\n|", "{# a\nb #}\nc", "{%- raw %}\n {{ x }} {% y %}\n{% endraw -%}\n z", "a\n  {% raw %}  {{ n }}  {% endraw %}\n b", "a {%- raw -%}  q  {%- endraw -%}  b", "\u00a0\u2003{%- if t %}x{% endif -%}\u00a0\u2003y", "\n\n{% if t %}a{% endif %}", "{{-n-}}", "{{- 1 -}} {{+1}}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {}}}}", "{ { % } # }}", "%} }} #}", "a{# {{ x }} #}b", "{{ '{{ x }}' }}{{ \"%}\" }}", "{% if t %}{% endif %}\n{% if t %}\n{% endif %}\nz", "  \n  {% if t %}x{% endif %}  \n  ", "{%\nif\nt\n%}x{%\nendif\n%}")
add("statement", "{% if f %}a{% elif n > 3 %}b{% else %}c{% endif %}", "{% if unknown %}a{% else %}b{% endif %}", "{% for i in nums %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ i }};{% endfor %}", "{% for i in nums %}{{ loop.previtem }}-{{ loop.nextitem }};{% endfor %}", "{% for i in nums %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }}{% endfor %}",
    "{% for i in nothing %}x{% else %}none{% endfor %}", "{% for i in unknown %}x{% else %}none{% endfor %}", "{% for i in none %}x{% endfor %}", "{% for i in n %}x{% endfor %}", "{% for c in 'a😀' %}[{{ c }}]{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|items %}{{ loop.last }}{% endfor %}", "{% for (a, b) in pairs %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in nums %}{% endfor %}", "{% for i in nums if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}-{% endfor %}", "{% for i in nums if i > 9 %}x{% else %}-{% endfor %}", "{% for i in nums|reverse %}{{ i }}{{ loop.last }}{% endfor %}", "{% for i in nums|select('odd') %}{{ loop.length }}{{ loop.revindex }}{{ i }}{% endfor %}",
    "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% set x = 1 %}{% for i in nums %}{{ x }}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "{% if t %}{% set y = 5 %}{% endif %}{{ y }}", "{% set ns = namespace(a=1) %}{% for i in nums %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}", "{% set ns = namespace() %}{% set ns.found = f %}{% for m in messages[::-1] %}{% if not ns.found and m.role == 'user' %}{% set ns.found = t %}{{ loop.index0 }}{% endif %}{% endfor %}", "{% set d.b = 1 %}", "{% set q.b = 1 %}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set a %}x{{ n }}y{% endset %}{{ a|length }}", "{% set a | upper | trim %} x {% endset %}[{{ a }}]", "{% set a = 'x' if f else 'y' %}{{ a }}", "{% set loop_messages = messages[1:] if messages[0].role == 'system' else messages %}{{ loop_messages|length }}",
    "{% macro m(a, b=2, c=b) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}|{{ m(1, 3) }}|{{ m(b=5, a=4) }}|{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1)|length }}{{ m('x') ~ 'y' }}", "{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(4) }}", "{% macro m() %}{{ n }}{{ later }}{% endmacro %}{% set later = 3 %}{{ m() }}", "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{{ n }}{% endcall %}", "{% macro m(xs) %}{% for x in xs %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(v) m(nums) %}[{{ v }}]{% endcall %}", "{% macro m() %}{% set n = 1 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}", "{% for i in nums %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}", "{% with a = 1 %}{% with a = 2, b = a %}{{ b }}{% endwith %}{% endwith %}", "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aaa{% endfilter %}", "{% generation %}x{{ n }}{% endgeneration %}y", "{% generation %}{% set a = 1 %}{{ a }}{% endgeneration %}{{ a }}", "{% for x in [1, [2, [3]]] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}:{{ loop.depth }}{% endif %}{% endfor %}", "{% for x in nums %}{{ loop(x) }}{% endfor %}", "{% for i in nums %}{% for j in nums %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for i in nums %}{% set o = loop %}{% for j in [1] %}{{ o.index }}{% endfor %}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for i in nums if ns.n < 2 %}{% set ns.n = ns.n + 1 %}{{ i }}{% endfor %}", "{% set ns = namespace(n=0) %}{% for i in nums if ns.n < 2 %}{{ loop.last }}{% set ns.n = ns.n + 1 %}{{ i }}{% endfor %}", "{% set g = nums|select('odd') %}{{ g|list }}{{ g|list }}", "{% if nothing|select %}always{% endif %}", "{% for i in 1, 2 %}{{ i }}{% endfor %}", "{% for i in nums %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}", "{% break %}", "{% if t %}", "{% endif %}", "{% nope %}", "{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ 'a }}", "{% for %}{% endfor %}", "{% set %}", "{# x", "{% raw %}x", "{{ n", "{{ a b }}", "{{ n is string is number }}", "{{ 1 if }}", "{% set none = 1 %}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ f(a=1, 2) }}", "{{ [1, 2 }}", "{% else %}", "{% do nums.append(1) %}", "{{ $ }}")
PATTERNS = {
    "chatml": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nHelp.<|im_end|>\n' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + (message['content'] if message['content'] is string else '?') + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama3": """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The system's turn is taken out, so that it can stand first. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none and builtin_tools is not defined %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- for t in tools %}
    {{- t | tojson(indent=4) }}
    {{- "\\n\\n" }}
{%- endfor %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
        {%- if message['content'] is string %}
            {{- message['content'] | trim }}
        {%- else %}
            {%- for content in message['content'] %}
                {%- if content['type'] == 'image' %}
                    {{- '<|image|>' }}
                {%- elif content['type'] == 'text' %}
                    {{- content['text'] | trim }}
                {%- endif %}
            {%- endfor %}
        {%- endif %}
        {{- '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("Only one call at a time!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "mistral": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {{- "[INST] " + (message["content"] if message["content"] is string else message["content"][0].text) + "[/INST]" }}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 2 %}
                {{- raise_exception("ids have 2 characters") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
        {%- endfor %}
        {{- "]" + eos_token }}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool" %}
        {{- '[TOOL_RESULTS] {"content": ' + message.content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported!") }}
    {%- endif %}
{%- endfor %}
""",
    "mistral-old": "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{{ message['content'] }}{% endfor %}",
    "qwen-newer": """{%- macro render_content(content, count=true) %}
    {%- if content is string %}
        {{- content }}
    {%- elif content is iterable and content is not mapping %}
        {%- for item in content %}
            {%- if 'image' in item or item.type == 'image' %}
                {{- '<|image_pad|>' }}
            {%- elif 'text' in item %}
                {{- item.text }}
            {%- else %}
                {{- raise_exception('Unexpected item type in content.') }}
            {%- endif %}
        {%- endfor %}
    {%- elif content is none or content is undefined %}
        {{- '' }}
    {%- endif %}
{%- endmacro %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" %}
        {%- set content = render_content(message.content)|trim %}
        {%- if not(content.startswith('<tool_response>') and content.endswith('</tool_response>')) %}
            {%- set ns.multi_step_tool = false %}
            {%- set ns.last_query_index = index %}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{{- ns.last_query_index }}
{%- for message in messages %}
    {%- set content = render_content(message.content) %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = ((content.split('</think>')|first).rstrip('\\n').split('<think>')|last).lstrip('\\n') %}
            {%- set content = (content.split('</think>')|last).lstrip('\\n') %}
        {%- endif %}
        {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- if message.tool_calls and message.tool_calls is iterable and message.tool_calls is not mapping %}
            {%- for tool_call in message.tool_calls %}
                {%- if tool_call.function is defined %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<function=' + tool_call.name + '>\\n' }}
                {%- for args_name, args_value in tool_call.arguments|items %}
                    {{- '<parameter=' + args_name + '>\\n' }}
                    {%- set args_value = args_value | tojson | safe if args_value is mapping or (args_value is sequence and args_value is not string) else args_value | string %}
                    {{- args_value }}
                    {{- '\\n</parameter>\\n' }}
                {%- endfor %}
            {%- endfor %}
        {%- endif %}
    {%- else %}
        {{- message.role ~ ': ' ~ content|trim ~ '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}
    {{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}
""",
}
for name, template in PATTERNS.items():
    add(name, template)


def render(template):
    try:
        return {"text": chat._compile_jinja_template(template).render(**VALUES)}
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError, SyntaxError) as e:
        return {"error": "%s: %s" % (type(e).__name__, e)}


def main():
    cases = [{"group": g, "template": t, **render(t)} for g, t in CASES]
    # Memory addresses are nothing to compare with.
    cases = [c for c in cases if " at 0x" not in c.get("text", "")]
    file = pathlib.Path(__file__).with_name("cases.json")
    head = {"transformers": transformers.__version__, "jinja2": jinja2.__version__, "now": NOW.isoformat()}
    lines = ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases)
    file.write_text(
        '{"made_with": %s,\n"variables": %s,\n"cases": [\n%s\n]}\n'
        % (json.dumps(head), json.dumps(VALUES, ensure_ascii=False), lines),
        encoding="utf-8",
    )
    print(len(cases), "cases,", sum("error" in c for c in cases), "of them errors")


if __name__ == "__main__":
    main()
