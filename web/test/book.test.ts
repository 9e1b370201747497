// The lists of the page of alerts, whichever answer comes first.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AlertsApi } from '../src/alerts/api';
import { Book } from '../src/alerts/book';
import { PageList } from '../src/alerts/pages';
import { isOfAnother } from '../src/alerts/push';
import { lastSeen, rememberSeen } from '../src/alerts/seen';
import type { Page, Rule } from '../src/alerts/wire';
import { ProblemError } from '../src/live/http';

vi.mock('../src/alerts/notify', () => ({ lookAgain: () => undefined })); // which looks at the browser

const rule = (id: string) => ({ id, name: id }) as Rule;

describe('the book of rules', () => {
  let rules: Rule[];
  let refusal: ProblemError | undefined;
  let hold: Promise<void> | undefined;
  const api = {
    rules: async () => {
      const answer = [...rules];
      await hold;
      if (refusal) throw refusal;
      return answer;
    },
    channels: async () => [],
    addRule: async () => (rules.push(rule('new')), rule('new')),
  } as unknown as AlertsApi;
  const ids = (book: Book) => book.rules.value?.map(({ id }) => id);

  beforeEach(() => {
    vi.useFakeTimers();
    [rules, refusal, hold] = [[rule('old')], undefined, undefined];
  });
  afterEach(() => void vi.useRealTimers());

  test('stays open when it cannot be loaded again, as somebody may be writing in it; and says so', async () => {
    const book = new Book(api);
    await book.load();
    refusal = new ProblemError({ title: 'Forbidden', status: 403 });
    await book.load();
    expect([book.absent.value, book.loaded.value, book.problem.value?.title]).toEqual([false, true, 'Forbidden']);
    book.close();
    const other = new Book(api);
    await other.load();
    expect(other.absent.value, 'but what never was there is absent').toBe(true);
    other.close();
  });

  test('does not lose what was written while it was loaded', async () => {
    const book = new Book(api);
    await book.load();
    let release = () => {};
    hold = new Promise((resolve) => (release = resolve));
    const loading = book.load();
    await book.addRule({});
    expect(ids(book)).toEqual(['old', 'new']);
    hold = undefined;
    release();
    await loading;
    await vi.advanceTimersByTimeAsync(0);
    expect(ids(book)).toEqual(['old', 'new']);
    book.close();
  });
});

describe('a list of pages', () => {
  const page = (...ids: number[]): Page<{ id: string }> => ({ items: ids.map((id) => ({ id: String(id) })), ...(ids.at(-1)! > 1 && { next: String(ids.at(-1)) }) });
  const ids = (list: PageList<{ id: string }>) => list.items.value?.map(({ id }) => id).join(' ');

  /** A list, and what answers the oldest of its requests that has this cursor. */
  function begin() {
    const asked: { readonly cursor: string | undefined; readonly answer: (page: Page<{ id: string }>) => void }[] = [];
    const list = new PageList<{ id: string }>((cursor) => new Promise((answer) => asked.push({ cursor, answer })));
    return { list, asked };
  }
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

  test('shows the latest that was asked for, whichever answer comes first', async () => {
    const { list, asked } = begin();
    void list.refresh();
    void list.refresh();
    asked[1]!.answer(page(4, 3, 2));
    asked[0]!.answer(page(3, 2, 1));
    await settled();
    expect(ids(list)).toBe('4 3 2');
  });

  test('has no hole where it was begun anew while what is older was on its way', async () => {
    const { list, asked } = begin();
    void list.refresh();
    asked[0]!.answer(page(3, 2));
    await settled();
    void list.older();
    void list.refresh();
    asked[2]!.answer(page(9, 8));
    asked[1]!.answer(page(1));
    await settled();
    expect([ids(list), asked[3]!.cursor]).toEqual(['9 8', '8']);
    asked[3]!.answer(page(7, 6));
    await settled();
    expect([ids(list), list.next.value]).toEqual(['9 8 7 6', '6']);
  });
});

test('the browser remembers what was seen, and whose its subscription is, but not who that is', () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => kept.set(name, value) });
  rememberSeen('oidc:anna@example.org', 7);
  for (let i = 0; i < 60; i++) rememberSeen(`guest-${i}`, i);
  rememberSeen('oidc:anna@example.org', 9);
  expect([lastSeen('oidc:anna@example.org'), lastSeen('guest-59'), lastSeen('guest-0'), lastSeen('nobody')], 'of fifty').toEqual([9, 59, undefined, undefined]);
  expect([...kept.values()].join()).not.toMatch(/anna|guest/);
  expect(isOfAnother('oidc:anna@example.org'), 'there is none').toBe(false);
  vi.unstubAllGlobals();
});
