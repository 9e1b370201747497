// A large estate, and what happens in it: one lot of 20,000 spots, each with its place, and forty of 100.
const turned = 0.3; // the streets of the town against north, in radians
const degree = 111_320; // metres
const at = (east, north) => {
  const [x, y] = [east * Math.cos(turned) - north * Math.sin(turned), east * Math.sin(turned) + north * Math.cos(turned)];
  return { lat: 52 + y / degree, lon: 10 + x / (degree * Math.cos((52 * Math.PI) / 180)) };
};

export const large = { id: 'arena', spots: 20_000, zones: 10 };
export const small = { lots: 40, spots: 100 };
export const total = large.spots + small.lots * small.spots;

export class Estate {
  /** All spots, and whether something stands on them. */
  #ids = [];
  #occupied = new Map();
  #random = 1;

  constructor(platform) {
    this.platform = platform;
  }

  async build() {
    const { platform } = this;
    await platform.request('POST', '/api/v1/lots', { id: large.id, name: 'Arena', location: at(0, 0) });
    const perZone = large.spots / large.zones;
    for (let zone = 0; zone < large.zones; zone++) {
      const zoneId = `${large.id}-${zone}`;
      await platform.request('POST', `/api/v1/lots/${large.id}/zones`, { id: zoneId, name: `Field ${zone + 1}` });
      const [east, north] = [(zone % 5) * 150 - 375, Math.floor(zone / 5) * -280 + 280];
      await this.#add(large.id, Array.from({ length: perZone }, (_, i) => (
        { spotId: `${zoneId}-${i}`, name: `Field ${zone + 1}, ${i + 1}`, zoneId, location: at(east + (i % 50) * 2.6, north - Math.floor(i / 50) * 6.5) }
      )));
    }
    for (let lot = 0; lot < small.lots; lot++) {
      const id = `yard-${lot}`;
      const [east, north] = [((lot % 8) - 3.5) * 400, 700 + Math.floor(lot / 8) * 200];
      await platform.request('POST', '/api/v1/lots', { id, name: `Yard ${lot + 1}`, location: at(east, north) });
      await this.#add(id, Array.from({ length: small.spots }, (_, i) => ({ spotId: `${id}-${i}`, location: at(east + (i % 10) * 2.6, north - Math.floor(i / 10) * 6.5) })));
    }
  }

  async #add(lotId, spots) {
    await this.platform.request('POST', `/api/v1/lots/${lotId}/spots`, spots);
    for (const { spotId } of spots) this.#ids.push(spotId);
  }

  /** As many different spots become occupied or free, all by one request. Which ones is the same in each run. Returns how many are free then. */
  async change(count) {
    const chosen = new Set();
    while (chosen.size < count) chosen.add(this.#ids[this.#next() % this.#ids.length]);
    const observedAt = new Date().toISOString();
    for (const spotId of chosen) this.#occupied.set(spotId, !this.#occupied.get(spotId));
    await this.platform.request('POST', '/api/v1/observations', [...chosen].map((spotId) => ({ spotId, occupied: this.#occupied.get(spotId), observedAt })));
    return this.free;
  }

  get free() {
    return this.#ids.length - [...this.#occupied.values()].filter(Boolean).length;
  }

  /** So many changes a second, spread evenly, for as long. */
  async stream(perSecond, seconds) {
    const step = 1000 / perSecond;
    const begin = performance.now();
    for (let i = 0; i < perSecond * seconds; i++) {
      const wait = begin + i * step - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await this.change(1);
    }
  }

  #next() {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random >>> 6;
  }
}

/** The views, with what they are called and what tells that they are there. */
export const views = [
  { name: 'City', path: '/', ready: '[data-testid="lot"]' },
  { name: 'Map, all lots', path: '/map', ready: '[data-testid="map"][data-ready]' },
  { name: 'Map, the large lot with its list', path: `/map?lot=${large.id}`, ready: '.map-spots [data-spot-id]' },
  { name: 'Map, its free spots alone', path: `/map?lot=${large.id}&status=free`, ready: '.map-spots [data-spot-id]' },
  { name: 'Plan', path: `/lots/${large.id}`, ready: '[data-testid="spot"]' },
  { name: 'Plan, tidy grid', path: `/lots/${large.id}?show=grid`, ready: '[data-testid="spot"]' },
  { name: 'Table', path: '/table', ready: '[data-testid="row"]' },
  { name: 'Table, free spots, the newest first', path: '/table?status=free&sort=-since', ready: '[data-testid="row"]' },
  { name: 'Changes', path: '/changes', ready: '.all-changes' },
  { name: 'One spot', path: `/spots/${large.id}-0-0`, ready: '[data-testid="spot-page"]' },
  { name: 'History', path: `/lots/${large.id}/history`, ready: '[data-testid="history"]' },
  { name: 'Managing its free spots', path: `/manage/lots/${large.id}?status=free`, ready: '[data-testid="manage-spot"]' },
];
