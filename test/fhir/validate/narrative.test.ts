import test from 'ava';
import { checkNarrative } from '../../../src/fhir/validate/narrative.js';
import { fastest } from '../../support/fastest.js';

const ONE_MEGABYTE = 1024 * 1024;
const OPEN = '<div xmlns="http://www.w3.org/1999/xhtml">';
const inDiv = (content: string): string => `${OPEN}${content}</div>`;

const RIGHT: readonly string[] = [
  inDiv('hi'),
  ` \n${inDiv('hi')}\n`,
  inDiv('<p class="a" style="color: red">a &amp; b &#169; &nbsp;<br/><b>c</b></p>'),
  inDiv('<table border="1"><tbody><tr><td colspan="2">x</td></tr></tbody></table>'),
  inDiv('<a href="https://example.org/?a=1&amp;b=2">x</a><a name="here">y</a><a href="#here">z</a>'),
  inDiv('<a href="Patient/1">relative</a> <a href="mailto:a@example.org">mail</a>'),
  inDiv('<img src="data:image/png;base64,AAAA" alt="x"/>'),
  inDiv('<img src="#photo"/>'),
  inDiv('<!-- a comment --><span xml:lang="en" title=\'it is "so"\'>x</span>'),
  inDiv('<ul><li>a</li><li>b <i>c</i></li></ul><hr />'),
];

const WRONG: Readonly<Record<string, string>> = {
  'no element': 'hi',
  'another root': '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
  'an element whose name begins with div': '<divx>x</divx>',
  'content after the root': `${inDiv('x')}<script>alert(1)</script>`,
  'two roots': inDiv('x') + inDiv('y'),
  'no content': inDiv('  <p> </p>'),
  'another namespace': '<div xmlns="http://www.w3.org/2000/svg">x</div>',
  script: inDiv('<script>alert(1)</script>'),
  'SCRIPT in capitals': inDiv('<SCRIPT>alert(1)</SCRIPT>'),
  iframe: inDiv('<iframe src="https://example.org"/>'),
  form: inDiv('<form><input/></form>'),
  'style element': inDiv('<style>x</style>'),
  link: inDiv('<link rel="stylesheet" href="x"/>x'),
  svg: inDiv('<svg><g/></svg>x'),
  'event handler': inDiv('<p onclick="x()">x</p>'),
  'event handler in capitals': inDiv('<img src="x" ONERROR="x()"/>'),
  'javascript url': inDiv('<a href="javascript:alert(1)">x</a>'),
  'javascript url in mixed case with spaces': inDiv('<a href=" \tjaVa\nScript:alert(1)">x</a>'),
  'javascript url in character references': inDiv('<a href="java&#x73;cript&#58;alert(1)">x</a>'),
  'javascript url with a named colon': inDiv('<a href="javascript&colon;alert(1)">x</a>'),
  'javascript url with a named tab': inDiv('<a href="java&Tab;script:alert(1)">x</a>'),
  'vbscript url': inDiv('<a href="vbscript:x">x</a>'),
  'data url that is no image': inDiv('<a href="data:text/html;base64,AAAA">x</a>'),
  'svg image as data': inDiv('<img src="data:image/svg+xml;base64,AAAA"/>'),
  'style with an expression': inDiv('<p style="width: expression(alert(1))">x</p>'),
  'style with a comment in an expression': inDiv('<p style="width: exp/**/ression(alert(1))">x</p>'),
  'style with escapes': inDiv('<p style="width: \\65xpression(alert(1))">x</p>'),
  'style that loads': inDiv('<p style="background: url(http://example.org/x)">x</p>'),
  'attribute of another namespace': inDiv('<a xlink:href="javascript:alert(1)">x</a>'),
  'unclosed element': inDiv('<p>x'),
  'crossed elements': inDiv('<b><i>x</b></i>'),
  'unclosed root': `${OPEN}x`,
  'unclosed tag': `${OPEN}<p class="a"`,
  'unquoted attribute': inDiv('<p class=a>x</p>'),
  'repeated attribute': inDiv('<p class="a" class="b">x</p>'),
  'raw ampersand': inDiv('a & b'),
  'raw less-than': inDiv('a < b'),
  'unended comment': `${OPEN}x<!-- `,
  CDATA: inDiv('<![CDATA[<script>]]>'),
  'processing instruction': inDiv('<?xml version="1.0"?>x'),
  DOCTYPE: `<!DOCTYPE html>${inDiv('x')}`,
  'deep nesting': inDiv('<b>'.repeat(500) + 'x' + '</b>'.repeat(500)),
};

for (const text of RIGHT) {
  test(`right: ${JSON.stringify(text)}`, (t) => t.is(checkNarrative(text), undefined));
}

for (const [name, text] of Object.entries(WRONG)) {
  test(`wrong: ${name}`, (t) => t.is(checkNarrative(text)?.severity, 'error'));
}

test('a root without namespace and an attribute that is harmless are warnings', (t) => {
  t.is(checkNarrative('<div>x</div>')?.severity, 'warning');
  t.is(checkNarrative(inDiv('<p data-x="1">x</p>'))?.severity, 'warning');
});

test('an error is told rather than a warning', (t) => {
  t.is(checkNarrative('<div><script/></div>')?.severity, 'error');
});

const HOSTILE: Readonly<Record<string, string>> = {
  'spaces in a tag': `<div${' '.repeat(ONE_MEGABYTE)}`,
  'names without values': `${OPEN}<p${' a'.repeat(ONE_MEGABYTE / 2)}`,
  'a long attribute name': `${OPEN}<p ${'a'.repeat(ONE_MEGABYTE)}`,
  'spaces before an equals sign': `${OPEN}<p a${' '.repeat(ONE_MEGABYTE)}x`,
  'open elements': OPEN + '<b>'.repeat(ONE_MEGABYTE / 4),
  'less-than signs': OPEN + '<'.repeat(ONE_MEGABYTE),
  'comment starts': OPEN + '<!--'.repeat(ONE_MEGABYTE / 4),
  'comment starts in a style': inDiv(`<p style="${'/*'.repeat(ONE_MEGABYTE / 2)}">x</p>`),
  'spaces in a link': inDiv(`<a href="${' \t'.repeat(ONE_MEGABYTE / 2)}">x</a>`),
  'entities in a link': inDiv(`<a href="${'&#106;'.repeat(ONE_MEGABYTE / 8)}">x</a>`),
  'spaces at the end': `${inDiv('x')}${' '.repeat(ONE_MEGABYTE)}x`,
  'spaces at the start': `${' '.repeat(ONE_MEGABYTE)}x`,
  'empty elements': inDiv('<br/>'.repeat(ONE_MEGABYTE / 8)),
};

for (const [name, text] of Object.entries(HOSTILE)) {
  test.serial(`a megabyte takes linear time: ${name}`, (t) => {
    t.true(fastest(() => checkNarrative(text), 500) < 500);
  });
}
