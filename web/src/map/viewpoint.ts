// What part of the map is looked at, as it stands in the address: zoom/latitude/longitude.
export interface Viewpoint {
  readonly zoom: number;
  readonly lat: number;
  readonly lon: number;
}

/** As exact as the zoom needs: the same view again, to a pixel. */
export function writeViewpoint({ zoom, lat, lon }: Viewpoint): string {
  const digits = Math.max(0, Math.min(7, Math.ceil((zoom * Math.LN2 + Math.log(512 / 360)) / Math.LN10)));
  return [zoom.toFixed(2), lat.toFixed(digits), lon.toFixed(digits)].map((text) => String(Number(text))).join('/');
}

/** Undefined: it is no viewpoint. */
export function readViewpoint(text: string | null): Viewpoint | undefined {
  const [zoom, lat, lon, more] = (text ?? '').split('/').map((part) => (/^-?\d+(\.\d+)?$/.test(part) ? Number(part) : NaN));
  const good = zoom! >= 0 && zoom! <= 24 && Math.abs(lat!) <= 90 && Math.abs(lon!) <= 180 && more === undefined;
  return good ? { zoom: zoom!, lat: lat!, lon: lon! } : undefined;
}
