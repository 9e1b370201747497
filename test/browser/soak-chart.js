// Draws the readings of soak.js: the heap of each page, by the minute.
const [width, height] = [760, 300];
const [left, right, top, bottom] = [56, 16, 40, 40];
const tones = ['#0c7a58', '#a4560f'];

export function drawn(pages) {
  const minutes = Math.max(1, pages[0].readings.at(-1).minute);
  const most = Math.ceil(Math.max(...pages.flatMap(({ readings }) => readings.map(({ heap }) => heap))) / 2 ** 20 / 5) * 5;
  const x = (minute) => left + (minute / minutes) * (width - left - right);
  const y = (heap) => height - bottom - (heap / 2 ** 20 / most) * (height - top - bottom);
  const line = ({ readings }, i) => `<polyline fill="none" stroke="${tones[i]}" stroke-width="2" points="${readings.map(({ minute, heap }) => `${x(minute).toFixed(1)},${y(heap).toFixed(1)}`).join(' ')}"/>`;
  const grid = Array.from({ length: most / 5 + 1 }, (_, i) => i * 5).map((mib) => (
    `<line x1="${left}" x2="${width - right}" y1="${y(mib * 2 ** 20)}" y2="${y(mib * 2 ** 20)}" stroke="#d8dee4"/><text x="${left - 8}" y="${y(mib * 2 ** 20) + 4}" text-anchor="end">${mib}</text>`
  ));
  const hours = Array.from({ length: Math.floor(minutes / 10) + 1 }, (_, i) => i * 10).map((minute) => `<text x="${x(minute)}" y="${height - bottom + 18}" text-anchor="middle">${minute}</text>`);
  const legend = pages.map(({ name }, i) => `<rect x="${left + i * 220}" y="14" width="14" height="4" fill="${tones[i]}"/><text x="${left + 20 + i * 220}" y="20">a page ${name}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#3c4650">
<title>Heap of the dashboard in MiB, after a garbage collection, by the minute</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${[...grid, ...hours, ...legend].join('\n')}
<text x="${width - right}" y="${height - 6}" text-anchor="end">minutes</text><text x="8" y="${top - 6}">MiB</text>
${pages.map(line).join('\n')}
</svg>
`;
}
