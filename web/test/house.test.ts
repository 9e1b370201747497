// What holds for every file of the page.
import { parseAst } from 'vite';
import { describe, expect, test } from 'vitest';

const sources = import.meta.glob<string>(['../src/**/*.{ts,tsx}', '!../src/text/**'], { query: '?raw', import: 'default', eager: true });
const styles = import.meta.glob<string>('../src/**/*.css', { query: '?raw', import: 'default', eager: true });

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const children = (node: Node): Node[] => Object.values(node).flat().filter(isNode);
const nodeOf = (node: Node, key: string): Node | undefined => (isNode(node[key]) ? node[key] : undefined);

/** What is said by parts of an element: attributes that are read out or shown. */
const telling = /^(?:aria-(?:label|description|roledescription|valuetext|placeholder)|title|placeholder|alt|label|summary)$/;
/** What says a text by being called or written to. */
const sayers = /^(?:alert|confirm|prompt|Notification|showNotification)$/;
const said = /^(?:textContent|innerText|title|ariaLabel|placeholder|alt)$/;

/** The words of its own that an expression may come to. */
function wordsOf(node: Node | undefined): string[] {
  switch (node?.type) {
    case 'Literal':
      return typeof node['value'] === 'string' ? [node['value']] : [];
    case 'TemplateLiteral':
      return [...(node['quasis'] as Node[]).map(({ value }) => (value as { cooked: string }).cooked), ...(node['expressions'] as Node[]).flatMap(wordsOf)];
    case 'ConditionalExpression':
      return [nodeOf(node, 'consequent'), nodeOf(node, 'alternate')].flatMap(wordsOf);
    case 'LogicalExpression':
    case 'BinaryExpression':
      return node['operator'] === '+' || node.type === 'LogicalExpression' ? [nodeOf(node, 'left'), nodeOf(node, 'right')].flatMap(wordsOf) : [];
    case 'ArrayExpression':
      return (node['elements'] as Node[]).flatMap(wordsOf);
    case 'JSXExpressionContainer': case 'ParenthesizedExpression': case 'TSAsExpression': case 'TSNonNullExpression': case 'TSSatisfiesExpression':
      return wordsOf(nodeOf(node, 'expression'));
    default:
      return []; // an element says what it says itself
  }
}

/** What is the same in every language: names, and examples of addresses. */
const everywhere = /\bParkwire\b|\bUTC\b|^https:\/\/example\.org\/\S*$|^\S+@example\.org$/g;

const nameOf = (node: Node | undefined): string => String(node?.type === 'MemberExpression' ? nodeOf(node, 'property')?.['name'] : node?.['name'] ?? '');

/** What a file says without a dictionary. Commands are the same in every language. */
function spoken(node: Node): string[] {
  if (node.type === 'JSXElement' && /^(?:code|pre|kbd)$/.test(nameOf(nodeOf(nodeOf(node, 'openingElement')!, 'name')))) return [];
  const found = children(node).flatMap(spoken);
  if (node.type === 'JSXText') found.push(String(node['value']));
  if (node.type === 'JSXElement' || node.type === 'JSXFragment') found.push(...(node['children'] as Node[]).filter(({ type }) => type === 'JSXExpressionContainer').flatMap(wordsOf));
  if (node.type === 'JSXAttribute' && telling.test(nameOf(nodeOf(node, 'name')))) found.push(...wordsOf(nodeOf(node, 'value')));
  if (node.type === 'AssignmentExpression' && nodeOf(node, 'left')?.type === 'MemberExpression' && said.test(nameOf(nodeOf(node, 'left')))) found.push(...wordsOf(nodeOf(node, 'right')));
  if ((node.type === 'CallExpression' || node.type === 'NewExpression') && sayers.test(nameOf(nodeOf(node, 'callee')))) found.push(...(node['arguments'] as Node[]).slice(0, 1).flatMap(wordsOf));
  return found;
}
const offencesIn = (text: string) => spoken(parseAst(text, { lang: 'tsx' }) as unknown as Node).map((each) => each.trim()).filter((each) => /\p{L}/u.test(each.replace(everywhere, '')));

describe('no file says a word that is in no dictionary', () => {
  test.each(Object.entries(sources))('%s', (_, text) => expect(offencesIn(text)).toEqual([]));

  test.each([
    ['text', '<p>now</p>', 'now'],
    ['text beside an element', '<p><b>{n}</b> spots free</p>', 'spots free'],
    ['an expression', '<p>{full ? "full" : words.free}</p>', 'full'],
    ['what follows a condition', '<p>{full && "Full up"}</p>', 'Full up'],
    ['a template', '<p>{`${n} of them`}</p>', 'of them'],
    ['an attribute', '<a title="go there" />', 'go there'],
    ['an attribute that is reckoned', '<a aria-label={`Spot ${n}`} />', 'Spot'],
    ['what is written into the page', 'p.textContent = "Gone";', 'Gone'],
    ['its title', 'document.title = `${n} free`;', 'free'],
    ['a notification', 'new Notification("Free", { body })', 'Free'],
  ])('%s would be found', (_, text, word) => expect(offencesIn(text)).toEqual([word]));

  test.each(['<p class="none" data-a="b">{words.common.free}</p>', '<a href="/map" aria-label={words.map}>·</a>', 'document.title = "Parkwire";', 'if (a === "free") f("occupied")'])('%s says none', (text) => expect(offencesIn(text)).toEqual([]));
});

describe('no style knows left from right: it is the language that does', () => {
  const sided = /(?<![\w-])(?:(?:margin|padding|border|inset|scroll-(?:margin|padding))-)?(?:left|right)(?:-\w+)?\s*:|\b(?:text-align|float|clear|justify-\w+|caption-side|resize)\s*:\s*(?:left|right)\b|\bborder-(?:top|bottom)-(?:left|right)-radius\s*:/g;
  const offences = (text: string) => [...text.matchAll(sided)].map(([found]) => found);

  test.each(Object.entries(styles))('%s', (_, text) => expect(offences(text)).toEqual([]));
  test.each(['a { left: 0 }', 'a{right:0}', 'a { margin-left: 1px }', 'a { border-right-width: 0 }', 'a { text-align: right; }', 'a { float:left }', 'a { border-top-left-radius: 4px }'])('%s would be found', (text) => expect(offences(text)).toHaveLength(1));
  test.each(['a { inset-inline-start: 0 }', 'a { margin-inline: 1px }', 'a { background: no-repeat left / 2px }', 'a { text-align: start }'])('%s is none', (text) => expect(offences(text)).toEqual([]));
});
