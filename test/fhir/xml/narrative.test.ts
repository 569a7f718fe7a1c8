import test from 'ava';
import { DEFAULT_JSON_LIMITS } from '../../../src/fhir/json.js';
import { parseXml } from '../../../src/fhir/xml/parse.js';
import { writeXml } from '../../../src/fhir/xml/write.js';
import { FhirError } from '../../../src/model/errors.js';

const XHTML = 'http://www.w3.org/1999/xhtml';

function document(div: string, attributes = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Basic xmlns="http://hl7.org/fhir"${attributes}><text><status value="additional"/>${div}</text></Basic>`;
}

function divOf(source: string): string {
  const { text } = parseXml(source, DEFAULT_JSON_LIMITS) as { readonly text: { readonly div: string } };
  return text.div;
}

function basic(div: string): object {
  return { resourceType: 'Basic', text: { status: 'additional', div } };
}

test('narrative is kept byte by byte, from XML to JSON and back', (t) => {
  for (const div of [
    `<div xmlns="${XHTML}">x</div>`,
    `<div   xmlns='${XHTML}'\n title = 'a "b"' >\r\n\t<p >1 &lt; 2 &amp;&#160;&#xA0; \u00a0 😀</p ><br /><br></br></div\n>`,
    `<div lang="en" xml:lang="en" xmlns="${XHTML}"><!-- a - b --><table><tr><td>&gt;"'</td></tr></table></div>`,
    `<div xmlns="${XHTML}"><div><div/></div></div>`,
    `<div xmlns="${XHTML}"/>`,
  ]) {
    t.is(divOf(document(div)), div);
    t.is(writeXml(parseXml(document(div), DEFAULT_JSON_LIMITS) as object), document(div));
  }
});

test('narrative that would mean something else elsewhere is written anew', (t) => {
  t.is(
    divOf(document(`<h:div xmlns:h="${XHTML}" title="a&#10;&lt;"><h:p>x &lt; y</h:p><h:br/></h:div>`)),
    `<div xmlns="${XHTML}" title="a&#10;&lt;"><p>x &lt; y</p><br/></div>`,
  );
  t.is(
    divOf(document('<h:div><h:p>x</h:p></h:div>', ` xmlns:h="${XHTML}"`)),
    `<div xmlns="${XHTML}"><p>x</p></div>`,
  );
  t.is(
    divOf(document(`<div xmlns="${XHTML}"><![CDATA[<b> & ]]>c</div>`)),
    `<div xmlns="${XHTML}">&lt;b&gt; &amp; c</div>`,
  );
});

test("HTML's entities and a missing namespace are put right on the way to XML", (t) => {
  t.is(
    divOf(writeXml(basic(' <div>a&nbsp;&copy;&hellip;&amp;&diams;<p>x</p></div>\n'))),
    `<div xmlns="${XHTML}">a&#160;&#169;&#8230;&amp;&#9830;<p>x</p></div>`,
  );
});

test('what is not well-formed XHTML is never written into XML', (t) => {
  for (const div of [
    '',
    'x',
    '<p>x</p>',
    `<div xmlns="${XHTML}">`,
    `<div xmlns="${XHTML}"></div></text><active value="true"/><text>`,
    `<div xmlns="${XHTML}"><p></div></p>`,
    `<div xmlns="${XHTML}">&unknown;</div>`,
    `<div xmlns="${XHTML}">\u0001</div>`,
    `<div xmlns="${XHTML}">]]></div>`,
    `<div xmlns="${XHTML}"><x xmlns="urn:x"/></div>`,
    `<div xmlns="${XHTML}"><?x?></div>`,
    `<!DOCTYPE div><div xmlns="${XHTML}"/>`,
    '<div xmlns="http://hl7.org/fhir"/>',
  ]) {
    const error = t.throws(() => writeXml(basic(div)), { instanceOf: FhirError });
    t.is(error.code, 'NOT_ACCEPTABLE', div);
  }
});
