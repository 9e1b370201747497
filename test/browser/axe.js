// What axe-core, which knows the rules of WCAG, finds wrong in a page.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2, levels A and AA, and what axe-core calls good practice. */
const everyRule = {
  runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'] },
  rules: { 'target-size': { enabled: true } },
  resultTypes: ['violations'], preload: false,
};

/** The rules that ask for colours: all that a theme can break, as it changes nothing else. */
const colours = { ...everyRule, runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }, rules: {} };

/** In words: which rule, where, and what is the matter. */
async function violations(page, rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source);
  const found = await page.evaluate(async (asked) => (await axe.run(document, asked)).violations, rules);
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`));
}

/** What can be scrolled into view though there is nothing: the document ends where the page does, and is no wider than the window. */
const emptiness = (page) => page.evaluate(() => {
  const { scrollWidth, scrollHeight, clientWidth } = document.documentElement;
  const end = Math.max(innerHeight, document.querySelector('.page').getBoundingClientRect().bottom + scrollY);
  return [
    ...(scrollWidth > clientWidth ? [`the document is ${scrollWidth - clientWidth} px wider than the window`] : []),
    ...(scrollHeight > Math.ceil(end) ? [`the document is ${scrollHeight - Math.ceil(end)} px longer than the page`] : []),
  ];
});

/** How a view is looked at: by every rule on each size, and by those for colours in the other theme. */
const looks = [
  [{ width: 1280, height: 800 }, 'light', everyRule], [{ width: 1280, height: 800 }, 'dark', colours],
  [{ width: 360, height: 740 }, 'dark', everyRule], [{ width: 360, height: 740 }, 'light', colours],
];

/** The page as it is now, on a desk and on a telephone, by day and by night. */
export async function violationsEverywhere(page) {
  const all = [];
  for (const [size, theme, rules] of looks) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.waitForFunction((name) => document.documentElement.dataset.theme === name && document.documentElement.dataset.motion === 'off', theme);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))); // it is drawn so
    all.push(...[...(await violations(page, rules)), ...(await emptiness(page))].map((each) => `${theme}, ${size.width} px: ${each}`));
  }
  return all;
}
