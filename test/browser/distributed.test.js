// The dashboard on the distributed stack: NGINX, two gateways, two notification processes, on real servers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { has, kept, on } from './browser.js';
import { flows } from './flows.js';
import { Distributed, hasServers } from './platform.js';

describe('through NGINX', { skip: !hasServers && 'no servers: eval "$(test/kit/servers.sh start)"' }, () => {
  const its = {
    start: () => Distributed.start(),
    /** While pages are open and changes go on, each notification process dies once, and a gateway. */
    async disturb() {
      for (const node of ['notifications 1', 'gateway 1', 'notifications 2']) {
        await its.platform.kill(node);
        await its.platform.restart(node);
      }
    },
  };

  flows(its);

  test('a notification process is killed: pages go on at the other one, and every change comes', async () => {
    const { platform } = its;
    const sockets = new Map(); // how many each page has opened
    const pages = await Promise.all([1, 2, 3, 4].map(async () => {
      const page = await its.visitor();
      page.on('websocket', () => sockets.set(page, (sockets.get(page) ?? 0) + 1));
      await its.open(page, '/lots/quay');
      return page;
    }));
    await platform.kill('notifications 2'); // NGINX gives the pages to both in turn
    await platform.act('q-1-7', 'occupy');
    for (const page of pages) {
      await has(page, on(page).spot('q-1-7'), 'data-status', 'occupied');
      await on(page).connected();
      assert.equal(await page.getByTestId('feed-gap').count(), 0, 'nothing was left out');
    }
    const moved = pages.filter((page) => sockets.get(page) > 1).length;
    assert.ok(moved > 0 && moved < pages.length, `${moved} of ${pages.length} pages had to go to the other process`);
    await platform.restart('notifications 2');
    await platform.act('q-1-7', 'release');
    for (const page of pages) await has(page, on(page).spot('q-1-7'), 'data-status', 'free');
  });

  test('a gateway and a parking process are killed: who looks and who acts notices nothing', async () => {
    const { platform } = its;
    const page = await its.visitor({ token: await platform.token('--scope', 'operate', '--subject', 'otto') });
    await its.open(page, '/lots/quay?spot=q-1-8');
    for (const [node, action, status] of [['gateway 2', 'occupy', 'occupied'], ['parking 1', 'release', 'free']]) {
      await platform.kill(node);
      for (let i = 0; i < 4; i++) await platform.request('GET', '/api/v1/lots/quay'); // what is on its way to a process that dies is lost; who comes behind it is led elsewhere
      await page.locator(`button[data-action="${action}"]`).click();
      await has(page, on(page).spot('q-1-8'), 'data-status', status);
      await page.reload();
      await on(page).connected();
      await has(page, on(page).spot('q-1-8'), 'data-status', status);
      assert.equal(await page.getByTestId('problem').count(), 0, 'nothing is reported');
      await platform.restart(node);
    }
  });

  test('NGINX is taken away and comes back: an open page says so and goes on without a gap, one that is opened meanwhile shows the last state', async () => {
    const { platform } = its;
    const direct = platform.nodes['gateway 1'];
    const page = await its.visitor();
    await its.open(page, '/lots/quay');
    await page.evaluate(() => { window.notReloaded = true; });
    const opened = await page.context().newPage();
    await its.open(opened, '/lots/quay');
    await kept(opened);
    await platform.cut();
    await on(page).connected('reconnecting');
    await page.getByTestId('stale').waitFor();
    await platform.act('q-1-9', 'occupy', direct);
    await opened.reload();
    await on(opened).spot('q-1-9').waitFor();
    await opened.getByTestId('stale').waitFor();
    await has(opened, on(opened).spot('q-1-9'), 'data-status', 'free'); // as it was
    await platform.restart('nginx');
    for (const each of [page, opened]) {
      await on(each).connected();
      await has(each, on(each).spot('q-1-9'), 'data-status', 'occupied');
      await has(each, on(each).lot('quay'), 'data-occupied', '1');
      await each.getByTestId('stale').waitFor({ state: 'detached' });
    }
    assert.equal(await page.getByTestId('feed-gap').count(), 0, 'nothing was left out');
    assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was not reloaded');
    await platform.act('q-1-9', 'release');
    await has(page, on(page).lot('quay'), 'data-free', '40');
  });
});
