// The first view of the demo, by Lighthouse. The program lighthouse.js looks at more of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { categories, least, measure, table } from './lighthouse.js';

test(`on the demo, performance, accessibility and best practices are at least ${least} of 100`, async () => {
  const found = await measure(['/']);
  console.log(table(found));
  for (const { path, device, scores, lacking } of found) {
    for (const category of categories) assert.ok(scores[category] >= least, `${category} of ${path} on a ${device} is ${scores[category]}: ${lacking.join('; ')}`);
  }
});
