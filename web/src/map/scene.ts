// The map itself, without any of the page around it: MapLibre with a style that has nothing but the ground, the spots, and tiles where there are some.
import { Map as MapLibre, prewarm, setWorkerUrl, type GeoJSONSource, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { signal } from '@preact/signals';
import type { Cell } from '../live/shown';
import { statuses, type Location, type Status } from '../live/wire';
import type { Cloud, LotPlace } from './cloud';
import type { Colours } from './colours';
import { corners, flat, ground, metresAcross, type Box } from './geo';
import { SpotLayer } from './spotLayer';
import type { Tiles } from './tiles';
import type { Viewpoint } from './viewpoint';

setWorkerUrl(workerUrl); // a file of our own host, as the policy wants it
prewarm(); // one worker for all maps of the page: where it ended with each, the error that says so would keep the map that was left

const nearest = 22; // zoom
const fitting = 19.5; // zoom, for a lot
const finger = 18; // pixels around a spot that count as it
const margin = 5; // metres of ground around the spots of a zone

export interface SceneOptions {
  readonly container: HTMLElement;
  readonly cloud: Cloud;
  readonly colours: Colours;
  readonly tiles: Tiles | undefined;
  readonly dark: boolean;
  readonly at: Viewpoint | Box | undefined;
  /** What the map is called, for those who do not see it. */
  readonly title: string;
  readonly pick: (cell: Cell | undefined) => void;
  /** The viewer has moved the map, and it has come to rest. */
  readonly rested: (at: Viewpoint) => void;
}

export class Scene {
  /** The zoom in half steps: by it lots are put together. */
  readonly step = signal(0);
  /** How many metres a pixel is, in the middle. */
  readonly metres = signal(1);
  readonly map: MapLibre;
  #layer: SpotLayer;
  #motion = true;
  #furnished = false;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #drawnAt = 0;
  #pause = pauseAfter(0);
  /** Whether the present move is none of the viewer's. */
  #led = false;
  #dark: boolean;
  #shown: ReadonlySet<Status> = new Set(statuses);
  #moved: () => void = () => undefined;
  readonly #seen = () => this.draw();

  constructor(private readonly options: SceneOptions) {
    const { container, cloud, colours, tiles, dark, at, title } = options;
    this.#layer = new SpotLayer(cloud, colours, () => this.draw());
    this.#dark = dark;
    this.map = new MapLibre({
      container, style: styleOf(colours, tiles, dark), locale: { 'Map.Title': title }, attributionControl: false, maxZoom: nearest, renderWorldCopies: true,
      dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, fadeDuration: 0, localIdeographFontFamily: false,
      ...(at && 'zoom' in at ? { zoom: at.zoom, center: [at.lon, at.lat] } : {}),
      ...(at && 'west' in at ? { bounds: pairs(at), fitBoundsOptions: this.#fitting() } : {}),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.on('style.load', () => this.#furnish()); // again, where the graphics processor had forgotten everything
    this.map.on('webglcontextlost', () => (this.#furnished = false));
    this.map.on('move', () => this.#follow());
    this.map.on('resize', () => this.#follow());
    this.map.on('moveend', () => {
      if (!this.#led) options.rested(this.viewpoint);
      this.#led = false;
    });
    this.map.on('click', ({ lngLat }) => options.pick(this.#cellAt(lngLat.lat, lngLat.lng)));
    this.map.on('mousemove', ({ lngLat }) => (this.map.getCanvas().style.cursor = this.#cellAt(lngLat.lat, lngLat.lng) ? 'pointer' : ''));
    this.map.on('idle', () => this.#drawing === undefined && (container.dataset.settled = 'true'));
    this.map.on('error', ({ error }) => console.warn(`The map: ${error?.message ?? 'something failed'}`)); // a tile that is not there
    document.addEventListener('visibilitychange', this.#seen);
    this.#follow();
  }

  get viewpoint(): Viewpoint {
    const { lat, lng } = this.map.getCenter();
    return { zoom: this.map.getZoom(), lat, lon: lng };
  }

  /** Something has changed. Where somebody sees it, it is drawn soon, 30 times a second at most, and less often where drawing takes long: a device without a graphics processor keeps most of its time for the rest of the page. */
  draw(): void {
    delete this.options.container.dataset.settled; // until what is seen is what is known
    if (document.hidden) return; // it is drawn when the page is seen again
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      const begin = (this.#drawnAt = performance.now());
      this.map.triggerRepaint();
      requestAnimationFrame(() => requestAnimationFrame(() => (this.#pause = pauseAfter(performance.now() - begin))));
    }, Math.max(0, this.#drawnAt + this.#pause - performance.now()));
  }

  setMotion(motion: boolean): void {
    this.#motion = this.#layer.motion = motion;
    this.draw();
  }

  setShown(shown: ReadonlySet<Status>): void {
    this.#shown = this.#layer.shown = shown;
    this.draw();
  }

  setPicked(index: number): void {
    this.#layer.picked = index;
    this.draw();
  }

  setColours(colours: Colours, dark: boolean): void {
    this.#layer.colours = colours;
    this.#dark = dark;
    if (!this.#furnished) return;
    this.map.setPaintProperty('paper', 'background-color', colours.paper);
    this.map.setPaintProperty('floor', 'fill-color', colours.floor);
    this.map.setPaintProperty('rim', 'line-color', colours.line);
    if (this.map.getLayer('tiles')) for (const [name, value] of Object.entries(dimmed(dark))) this.map.setPaintProperty('tiles', name as keyof ReturnType<typeof dimmed>, value);
    this.draw();
  }

  /** How wide the map is, in pixels. */
  get width(): number {
    return this.options.container.clientWidth;
  }

  /** Draws the ground of the lots. */
  setLots(lots: readonly LotPlace[]): void {
    if (this.#furnished) void this.map.getSource<GeoJSONSource>('lots')?.setData(groundsOf(lots));
  }

  /** Looks at a box, or from a viewpoint. */
  show(at: Viewpoint | Box, animate = this.#motion): void {
    this.#led = true;
    if ('west' in at) this.map.fitBounds(pairs(at), { ...this.#fitting(), animate });
    else this.map.easeTo({ zoom: at.zoom, center: [at.lon, at.lat], animate });
  }

  /** Looks at a spot, from no farther than where one sees it. */
  showSpot({ lat, lon }: Location, animate = this.#motion): void {
    this.#led = true;
    this.map.easeTo({ center: [lon, lat], zoom: Math.max(this.map.getZoom(), 18.5), animate });
  }

  zoomBy(levels: number): void {
    this.map.zoomTo(this.map.getZoom() + levels, { animate: this.#motion });
  }

  /** Looks further to the east and the south, by parts of what is seen. */
  moveBy(east: number, south: number): void {
    const { clientWidth, clientHeight } = this.options.container;
    this.map.panBy([east * clientWidth, south * clientHeight], { animate: this.#motion });
  }

  /** Where a place is on the screen, from the corner of the map. */
  project({ lat, lon }: Location): { readonly x: number; readonly y: number } {
    return this.map.project([lon, lat]);
  }

  /** Calls moved with each move of the map, and at once. Returns what ends it. */
  whenMoved(moved: () => void): () => void {
    this.#moved = moved;
    moved();
    return () => (this.#moved = () => undefined);
  }

  end(): void {
    document.removeEventListener('visibilitychange', this.#seen);
    clearTimeout(this.#drawing);
    this.map.remove();
  }

  #furnish(): void {
    if (this.map.getLayer('spots')) this.map.removeLayer('spots');
    this.map.addLayer(this.#layer);
    this.#furnished = true;
    this.setColours(this.#layer.colours, this.#dark);
    this.setLots(this.options.cloud.lots.peek());
  }

  #follow(): void {
    this.step.value = Math.round(this.map.getZoom() * 2) / 2;
    this.metres.value = metresAcross(this.map.getCenter().lat) / (512 * 2 ** this.map.getZoom());
    this.#moved();
  }

  #cellAt(lat: number, lon: number): Cell | undefined {
    const zoom = this.map.getZoom();
    if (zoom < 13) return undefined; // there it is a cloud
    const { x, y } = flat({ lat, lon });
    return this.options.cloud.nearest(x, y, Math.max(finger, this.#layer.radius(this.map)) / (512 * 2 ** zoom), ({ status }) => this.#shown.has(status));
  }

  /** Room for the signs, which stand above their lots. */
  #fitting() {
    const { clientWidth, clientHeight } = this.options.container;
    const room = Math.round(Math.min(clientWidth, clientHeight) * 0.1);
    return { padding: { top: room + 40, bottom: room, left: room + 20, right: room + 20 }, maxZoom: fitting };
  }
}

/** How long to wait from one drawing to the next, where nobody moves the map, after one that took two frames so long (milliseconds). */
const pauseAfter = (taken: number): number => Math.min(1000, 1000 / 30 + 2 * Math.max(0, taken - 50));

const pairs = (box: Box): [[number, number], [number, number]] => {
  const [a, b] = corners(box);
  return [[a.lon, a.lat], [b.lon, b.lat]];
};

/** Bright tiles would be all that one sees on a dark page. */
const dimmed = (dark: boolean) => ({ 'raster-brightness-max': dark ? 0.5 : 1, 'raster-saturation': dark ? -0.6 : -0.3 });

function styleOf({ paper, floor, line }: Colours, tiles: Tiles | undefined, dark: boolean): StyleSpecification {
  return {
    version: 8,
    sources: {
      lots: { type: 'geojson', data: groundsOf([]) },
      ...(tiles && { tiles: { type: 'raster', tiles: [tiles.url], tileSize: 256, maxzoom: tiles.maxZoom } }),
    },
    layers: [
      { id: 'paper', type: 'background', paint: { 'background-color': paper } },
      ...(tiles ? [{ id: 'tiles', type: 'raster' as const, source: 'tiles', paint: dimmed(dark) }] : []),
      { id: 'floor', type: 'fill', source: 'lots', paint: { 'fill-color': floor, 'fill-opacity': tiles ? 0.75 : 1 } },
      { id: 'rim', type: 'line', source: 'lots', paint: { 'line-color': line, 'line-width': 1 } },
    ],
  };
}

const groundsOf = (lots: readonly LotPlace[]) => ({
  type: 'FeatureCollection' as const,
  features: lots.flatMap(({ lotId, grounds }) => grounds.map((spots) => ({
    type: 'Feature' as const, properties: { lotId }, geometry: { type: 'Polygon' as const, coordinates: [ground(spots, margin)] },
  }))),
});
