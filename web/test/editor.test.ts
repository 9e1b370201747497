// A form while it is open: written with the mark of what was read, refused, and written by somebody else meanwhile.
import { beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../src/live/http';
import type { Zone } from '../src/live/wire';
import type { Patch } from '../src/manage/api';
import { Editor } from '../src/manage/editor';
import { zoneForm, type ZoneValues } from '../src/manage/forms';

let stored: { item: Zone; etag: string };
let writes: [Patch, string | undefined][];
let proposed: string[];

beforeEach(() => {
  stored = { item: { id: 'z', lotId: 'central', name: 'Ground', level: 0 }, etag: '"1"' };
  writes = [];
  proposed = [];
});

/** What the platform does with a patch, as it is told to. */
function editor(refusal?: ProblemError): Editor<Zone, ZoneValues> {
  return new Editor(zoneForm, stored, {
    read: async () => stored,
    write: async (patch, etag) => {
      writes.push([patch, etag]);
      if (refusal) throw refusal;
      if (etag !== stored.etag) throw new ProblemError({ title: 'Precondition Failed', status: 412 });
      stored = { item: { ...stored.item, ...patch }, etag: '"mine"' };
      return stored.item;
    },
    propose: ({ name }) => ({ settle: (now) => proposed.push(`${name} is ${now?.name}`), revert: () => proposed.push(`${name} is not`) }),
  });
}

test('what was changed is written, with the mark of what was read', async () => {
  const form = editor();
  form.set('name', 'Street');
  expect(await form.save()).toBe(true);
  expect([writes, proposed]).toEqual([[[{ name: 'Street' }, '"1"']], ['Street is Street']]);
});

test('what is filled in after it was saved is new to that, and no clash with it', async () => {
  const form = editor();
  form.set('name', 'Street');
  await form.save();
  expect(await form.save(), 'nothing is new').toBe(true);
  expect(writes).toHaveLength(1);
  form.set('name', 'Avenue');
  expect([await form.save(), form.clashes, stored.item.name]).toEqual([true, [], 'Avenue']);
  stored = { item: { ...stored.item, name: 'Theirs' }, etag: '"theirs"' };
  form.set('name', 'Mine');
  expect(await form.save()).toBe(false);
  expect(form.clashes).toMatchObject([{ field: 'name', theirs: 'Theirs' }]);
});

test('what was not changed is not written', async () => {
  expect(await editor().save()).toBe(true);
  expect(writes).toEqual([]);
});

test('what is wrong is not sent, and is right again when it is mended', async () => {
  const form = editor();
  form.set('name', '');
  expect(await form.save()).toBe(false);
  expect([form.fault('name'), writes]).toEqual(['missing', []]);
  form.set('name', 'Street');
  expect(form.fault('name')).toBeUndefined();
});

test('somebody who changed another field is in nobody’s way', async () => {
  const form = editor();
  stored = { item: { ...stored.item, level: 1 }, etag: '"2"' };
  form.set('name', 'Street');
  expect(await form.save()).toBe(true);
  expect(writes).toEqual([[{ name: 'Street' }, '"1"'], [{ name: 'Street' }, '"2"']]);
  expect(stored.item).toMatchObject({ name: 'Street', level: 1 });
});

test('somebody who changed the same is told of, and either may hold', async () => {
  const form = editor();
  stored = { item: { ...stored.item, name: 'Lobby', level: 1 }, etag: '"2"' };
  form.set('name', 'Street');
  expect(await form.save()).toBe(false);
  expect(form.clashes).toEqual([{ field: 'name', theirs: 'Lobby' }]);
  expect([form.values, proposed]).toEqual([{ id: 'z', name: 'Street', level: '1' }, ['Street is not']]);
  expect(await form.save(), 'once more: mine').toBe(true);
  expect(stored.item).toMatchObject({ name: 'Street', level: 1 });

  const other = editor();
  stored = { item: { ...stored.item, name: 'Lobby' }, etag: '"3"' };
  other.set('name', 'Hall');
  await other.save();
  other.takeTheirs();
  expect([other.values.name, other.clashes, await other.save()]).toEqual(['Lobby', [], true]);
  expect(stored.item.name).toBe('Lobby');
});

test('what the platform refuses is taken back, and told at its field where it names one', async () => {
  const form = editor(new ProblemError({ title: 'Bad Request', status: 400, detail: 'The field "name" must be shorter.', field: 'name' }));
  form.set('name', 'Street');
  expect(await form.save()).toBe(false);
  expect([form.refusal('name'), form.problem, proposed]).toEqual(['The field "name" must be shorter.', undefined, ['Street is not']]);

  const other = editor(new ProblemError({ title: 'Forbidden', status: 403, detail: 'Not yours.' }));
  other.set('name', 'Street');
  await other.save();
  expect(other.problem).toMatchObject({ status: 403 });
});
