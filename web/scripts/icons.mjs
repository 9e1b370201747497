// Draws the icons of the installed page: `node scripts/icons.mjs` writes public/icons/. They are the mark of favicon.svg, by distances to its
// lines, so that no program is needed and the same bytes come out everywhere.
import { mkdirSync, writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

const green = [12, 122, 88], white = [255, 255, 255], light = [127, 240, 194];
const samples = 4; // each way, in one pixel

/** Distances from a point of the 32 by 32 drawing; inside they are negative. */
const segment = (x, y, ax, ay, bx, by) => {
  const t = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)));
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
};
const bow = (x, y) => (x >= 17.5 ? Math.abs(Math.hypot(x - 17.5, y - 13) - 6) : Infinity);
const letter = (x, y) => Math.min(segment(x, y, 11, 26, 11, 7), segment(x, y, 11, 7, 17.5, 7), segment(x, y, 17.5, 19, 11, 19), bow(x, y)) - 1.8;
const dot = (x, y) => Math.hypot(x - 23.5, y - 24.5) - 2.6;
const rounded = (x, y) => {
  const dx = Math.max(Math.abs(x - 16) - 8, 0), dy = Math.max(Math.abs(y - 16) - 8, 0);
  return Math.hypot(dx, dy) - 8;
};

/** What is seen at a point: a colour, or nothing. */
const card = (x, y) => (rounded(x, y) > 0 ? undefined : mark(x, y) ?? green);
const mark = (x, y) => (dot(x, y) < 0 ? light : letter(x, y) < 0 ? white : undefined);

const drawings = {
  'icon-192.png': [192, card],
  'icon-512.png': [512, card],
  // Systems cut a form of their own out of these: the mark keeps away from the edges.
  'maskable-512.png': [512, (x, y) => mark(16 + (x - 16) * 1.35, 16 + (y - 16) * 1.35) ?? green],
  'touch-180.png': [180, (x, y) => mark(16 + (x - 16) * 1.15, 16 + (y - 16) * 1.15) ?? green],
  // In the status bar of a phone: its form alone counts.
  'badge-96.png': [96, (x, y) => mark(x, y) && white],
};

function draw(size, seen) {
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0, at = 0; row < size; row++) {
    rows[at++] = 0;
    for (let column = 0; column < size; column++, at += 4) {
      const sum = [0, 0, 0, 0];
      for (let i = 0; i < samples ** 2; i++) {
        const x = ((column + ((i % samples) + 0.5) / samples) / size) * 32;
        const y = ((row + (Math.floor(i / samples) + 0.5) / samples) / size) * 32;
        const colour = seen(x, y);
        if (colour) [...colour, 1].forEach((part, k) => (sum[k] += part));
      }
      const [red, greens, blue, hits] = sum;
      if (hits > 0) rows.set([red / hits, greens / hits, blue / hits, (hits / samples ** 2) * 255].map(Math.round), at);
    }
  }
  return rows;
}

function png(size, rows) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6], 8); // eight bits of red, green, blue and opacity
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type, content) {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(named.length + 8);
  frame.writeUInt32BE(content.length, 0);
  frame.set(named, 4);
  frame.writeUInt32BE(crc32(named), named.length + 4);
  return frame;
}

const folder = new URL('../public/icons/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, [size, seen]] of Object.entries(drawings)) writeFileSync(new URL(name, folder), png(size, draw(size, seen)));
