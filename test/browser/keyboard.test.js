// The dashboard without a mouse, and without dragging.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, on } from './browser.js';
import { Platform } from './platform.js';

const desk = { width: 1280, height: 800 };
const telephone = { width: 360, height: 740 };
const at = (east, north) => ({ lat: 52 + north / 111_320, lon: 10 + east / 68_535 });

let platform, browser, operator;

before(async () => {
  platform = await Platform.start();
  await platform.request('POST', '/api/v1/lots', { id: 'north', name: 'North Garage', location: at(0, 300) });
  await platform.request('POST', '/api/v1/lots/north/spots', Array.from({ length: 40 }, (_, i) => ({ spotId: `n-${i}`, location: at((i % 10) * 2.6, 300 - Math.floor(i / 10) * 8) })));
  for (let i = 1; i <= 6; i++) await platform.addLot(`lot-${i}`, `Lot ${i}`, Array.from({ length: 30 }, (_, n) => `l${i}-${n}`));
  await platform.request('POST', '/api/v1/lots', { id: 'west', name: 'West Garage' });
  await platform.request('POST', '/api/v1/lots/west/spots', Array.from({ length: 40 }, (_, i) => ({ spotId: `w-${i}`, location: at((i % 10) * 2.6, -300 - Math.floor(i / 10) * 8) })));
  operator = platform.token('--scope', 'operate', '--subject', 'anna');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** A test with somebody at a page of its own, who has signed in where a token is given. */
function promise(name, { token, viewport = desk }, kept) {
  test(name, async () => {
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
    context.setDefaultTimeout(60_000); // a machine may be busy
    if (token) await context.addInitScript((typed) => sessionStorage.setItem('parkwire.signed-in', JSON.stringify({ id: '', typed })), token());
    try {
      await kept(new Keyboard(await context.newPage()));
    } finally {
      await context.close();
    }
  });
}

/** Somebody at a page, with a keyboard alone. */
class Keyboard {
  constructor(page) {
    this.page = page;
  }

  async open(path) {
    await this.page.goto(platform.url + path);
    await on(this.page).connected();
  }

  press(key) {
    return this.page.keyboard.press(key);
  }

  focused(selector) {
    return this.page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
  }

  parameter(name) {
    return new URL(this.page.url()).searchParams.get(name);
  }

  said(text) {
    return this.page.getByRole('status').filter({ hasText: text }).first().waitFor({ state: 'attached' });
  }

  /** Goes through the page by the tabulator key, until it has been at its last stop, and returns what is hidden or does not show that it has the focus. */
  async through() {
    const faults = [];
    for (let stops = 0; stops < 400; stops++) {
      await this.press('Tab');
      const now = await this.page.evaluate(stop);
      if (!now || (now.first && stops > 1)) {
        const { last, end } = await this.page.evaluate(lastStop);
        assert.equal(last, end, `after ${stops} stops it is not at the end of the page`);
        assert.ok(stops > 5, `${stops} stops`);
        return { faults, stops };
      }
      if (!now.seen) faults.push(`${now.name} is hidden`);
      if (!now.marked) faults.push(`${now.name} does not show that it has the focus`);
    }
    return assert.fail('there is no end of stops');
  }
}

/** In the page: tells of the element that has the focus whether any of it can be seen, and whether it shows that it has the focus. */
function stop() {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  const shown = element.matches('.unseen') ? element.labels[0] : element; // what stands for it
  const { left, top, right, bottom } = shown.getBoundingClientRect();
  const parts = [0.05, 0.25, 0.5, 0.75, 0.95];
  const seen = parts.some((x) => parts.some((y) => {
    const hit = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
    return hit !== null && (shown.contains(hit) || (hit.contains(shown) && hit.closest('label') !== null));
  }));
  const outlined = (one, pseudo) => one !== null && getComputedStyle(one, pseudo).outlineStyle !== 'none' && parseFloat(getComputedStyle(one, pseudo).outlineWidth) > 0;
  const marked = outlined(element) || outlined(element, '::after') || outlined(element.nextElementSibling) || outlined(shown);
  window.nameOf = ({ tagName, className, ariaLabel, textContent }) => `${tagName.toLowerCase()}.${className} “${(ariaLabel ?? textContent).trim().slice(0, 40)}”`;
  if (!element.matches('.skip')) window.stoppedAt = element;
  return { name: window.nameOf(element), seen, marked, first: element.matches('.skip') };
}

/** In the page: where the tabulator key has stopped last, and where it is to stop last. */
function lastStop() {
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter((each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false }) && !each.closest('[inert]'))
    .filter((each) => each.type !== 'radio' || each.checked || !document.querySelector(`input[type="radio"][name="${CSS.escape(each.name)}"]:checked`));
  return { last: window.nameOf(window.stoppedAt), end: window.nameOf(stops.at(-1)) };
}

/** Puts a spot into a zone of its own, and waits until the plan shows it so. */
async function regroup(lot, spotId, page) {
  await platform.request('POST', `/api/v1/lots/${lot}/zones`, { id: `${lot}-apart`, name: 'Apart' });
  await platform.request('PATCH', `/api/v1/spots/${spotId}`, { zoneId: `${lot}-apart` });
  await page.locator('main :is(.drawn-zones, h2)', { hasText: 'Apart' }).first().waitFor();
}

const paths = ['/', '/map', '/table', '/changes', '/alerts', '/lots/north', '/lots/north/table', '/lots/north/history', '/spots/n-1', '/manage', '/manage/lots/north', '/manage/import', '/alerts?rule=new'];

describe('the tabulator key', { concurrency: 2 }, () => {
  for (const [name, viewport, spot] of [['telephone', telephone, 'l1-1'], ['desk', desk, 'l1-2']]) {
    promise(`on a ${name}: what has the focus is never hidden and always shows it`, { viewport, token: () => operator }, async (keyboard) => {
      for (const path of paths) {
        await keyboard.open(path);
        await keyboard.page.locator('main h1, main .notice').first().waitFor();
        await keyboard.page.waitForFunction(() => document.querySelector('.loading') === null);
        for (const action of ['occupy', 'release']) await platform.act(spot, action); // lines for the feed
        const { faults } = await keyboard.through();
        assert.deepEqual(faults, [], `${path} on a ${name}`);
      }
    });
  }
});

describe('by keyboard', { concurrency: 2 }, () => {
  promise('one gets over the head of the page, and from one view to the next without a long way', {}, async (keyboard) => {
    await keyboard.open('/lots/north');
    await keyboard.press('Tab');
    await keyboard.focused('.skip');
    await keyboard.press('Enter');
    await keyboard.focused('#main');
    await keyboard.press('Tab');
    assert.ok(await keyboard.page.evaluate(() => document.activeElement.closest('main') !== null), 'it goes on in what is shown');
    await keyboard.open('/lots/north');
    const { stops } = await keyboard.through();
    assert.ok(stops < 60, `40 bays and a feed are ${stops} stops`);
  });

  promise('a menu opens, and closes to where one was', {}, async (keyboard) => {
    const { page } = keyboard;
    await keyboard.open('/');
    await page.getByTestId('settings').focus();
    await keyboard.press('Enter');
    await page.getByRole('radio', { name: 'Dark' }).waitFor();
    await keyboard.press('Tab');
    await keyboard.press('Escape');
    await keyboard.focused('[data-testid="settings"]');
    assert.equal(await page.getByRole('radio', { name: 'Dark' }).isVisible(), false);
  });

  promise('the map is moved without dragging, by buttons and by keys', {}, async (keyboard) => {
    const { page } = keyboard;
    await keyboard.open('/map?lot=north');
    await page.locator('[data-testid="map"][data-ready]').waitFor();
    await page.getByTestId('map-move').focus();
    await keyboard.press('Enter');
    const moved = async (way) => {
      const before = keyboard.parameter('at');
      await page.locator(`.map-pad [data-way="${way}"]`).focus();
      await keyboard.press('Enter');
      await page.waitForFunction((place) => (new URL(location.href).searchParams.get('at') ?? '') !== (place ?? ''), before);
      return (keyboard.parameter('at') ?? '//').split('/').map(Number);
    };
    const [, south0] = await moved('south');
    const [, north1, lon1] = await moved('north');
    assert.ok(north1 > south0, `${north1} is north of ${south0}`);
    const [, , east] = await moved('east');
    assert.ok(east > lon1, `${east} is east of ${lon1}`);
    const [, , west] = await moved('west');
    assert.ok(west < east, `${west} is west of ${east}`);
    const before = keyboard.parameter('at');
    await page.locator('.maplibregl-canvas').focus();
    await keyboard.press('ArrowUp');
    await page.waitForFunction((place) => new URL(location.href).searchParams.get('at') !== place, before);
  });

  promise('a spot on the map is found in the list, and closing it leads back there', {}, async (keyboard) => {
    const { page } = keyboard;
    await keyboard.open('/map?lot=north');
    const row = page.locator('.map-beside button[data-spot-id="n-3"]');
    await row.focus();
    await keyboard.press('Enter');
    const detail = page.locator('.map-view .detail');
    await detail.waitFor();
    await keyboard.said('n-3: free');
    await detail.getByRole('button').first().focus();
    await keyboard.press('Enter');
    await detail.waitFor({ state: 'detached' });
    await keyboard.focused('.map-beside button[data-spot-id="n-3"]');
  });

  promise('a spot is changed: dialogs keep the keyboard, and give it back', { token: () => operator }, async (keyboard) => {
    const { page } = keyboard;
    await keyboard.open('/manage/lots/lot-1');
    await page.getByRole('button', { name: 'Edit l1-2', exact: true }).focus();
    await keyboard.press('Enter');
    await page.locator('dialog input, dialog select').first().waitFor();
    for (let i = 0; i < 30; i++) {
      await keyboard.press('Tab');
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null), 'the keyboard stays in the dialog');
    }
    await keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await keyboard.focused('[data-spot-id="l1-2"] button');
  });

  promise('arrow keys go from bay to bay in a plan, the one that is picked is said, and pressing it again lets go', {}, async (keyboard) => {
    const { page } = keyboard;
    await keyboard.open('/lots/west');
    const bay = (id) => on(page).spot(id);
    await bay('w-12').focus();
    await keyboard.press('ArrowRight');
    await keyboard.focused('.bay[data-spot-id="w-13"]');
    await regroup('west', 'w-39', page); // what is drawn anew meanwhile
    await keyboard.press('ArrowRight');
    await keyboard.focused('.bay[data-spot-id="w-14"]');
    await keyboard.press('Enter');
    await on(page).has(bay('w-14'), 'aria-pressed', 'true');
    await keyboard.said('w-14: free');
    await keyboard.focused('.bay[data-spot-id="w-14"]');
    await keyboard.press('Escape');
    await on(page).has(bay('w-14'), 'aria-pressed', 'false');
    await keyboard.press('Enter');
    const detail = page.locator('.detail');
    await detail.waitFor();
    await keyboard.press('Enter');
    await detail.waitFor({ state: 'detached' });
    await keyboard.open('/lots/lot-2?dir=rtl');
    await bay('l2-4').focus();
    await keyboard.press('ArrowLeft');
    await keyboard.focused('.bay[data-spot-id="l2-5"]'); // which stands to the left there
    await regroup('lot-2', 'l2-29', page);
    await keyboard.press('ArrowLeft');
    await keyboard.focused('.bay[data-spot-id="l2-6"]');
  });
});
