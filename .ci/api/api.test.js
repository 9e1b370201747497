// The descriptions in api/ are legal, point at nothing that is missing, and their examples are what their schemas say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv07 from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const require = createRequire(import.meta.url);
const read = (name) => readFileSync(new URL(`../../api/${name}`, import.meta.url), 'utf8');

test('openapi.yaml is legal', async () => {
  const { valid, errors } = await new Validator().validate(read('openapi.yaml'));
  assert.ok(valid, JSON.stringify(errors, null, 2));
});

test('asyncapi.yaml is legal', () => {
  const document = parse(read('asyncapi.yaml'));
  const ajv = addFormats(new Ajv07({ strict: false, allErrors: true }));
  const validate = ajv.compile(require(`@asyncapi/specs/schemas/${document.asyncapi}-without-$id.json`));
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5), null, 2));
});

for (const name of ['openapi.yaml', 'asyncapi.yaml']) {
  test(`${name}: every reference leads somewhere`, () => {
    const document = parse(read(name));
    for (const [path, node] of walk(document)) {
      if (typeof node?.$ref === 'string') assert.ok(follow(document, node.$ref) !== undefined, `${path}: ${node.$ref} is not there`);
    }
  });

  test(`${name}: every example is what its schema says`, () => {
    const document = parse(read(name));
    const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
    ajv.addSchema({ ...document, $id: 'document' });
    let checked = 0;
    for (const [path, node] of walk(document)) {
      for (const { schema, value, where } of examples(node)) {
        const validate = ajv.compile({ $ref: `document#${pointer([...path, schema])}` });
        assert.ok(validate(value), `${[...path, ...where].join(' › ')}: ${ajv.errorsText(validate.errors)}`);
        checked++;
      }
    }
    assert.ok(checked > 0, 'no example was found');
  });
}

/** The examples of a media type, a parameter or a message, and the key of the schema that they are examples of. */
function* examples(node) {
  if (node?.schema && 'example' in node) yield { schema: 'schema', value: node.example, where: ['example'] };
  if (node?.schema && node.examples && !Array.isArray(node.examples)) {
    for (const [key, { value }] of Object.entries(node.examples)) yield { schema: 'schema', value, where: ['examples', key] };
  }
  if (node?.payload && Array.isArray(node.examples)) {
    for (const [i, { payload }] of node.examples.entries()) yield { schema: 'payload', value: payload, where: ['examples', i] };
  }
}

/** Every object and array in a document, with the path to it, but for what is inside examples. */
function* walk(node, path = []) {
  if (node === null || typeof node !== 'object') return;
  yield [path, node];
  for (const [key, child] of Object.entries(node)) if (key !== 'example' && key !== 'examples') yield* walk(child, [...path, key]);
}

const pointer = (path) => path.map((key) => `/${encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

const follow = (document, ref) =>
  ref.replace(/^#\//, '').split('/').reduce((node, key) => node?.[decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')], document);
