// The REST resources of the history service.
import type { Api } from '../live/api';
import type { Sending } from '../live/http';
import type { Heatmap, Metrics, SpotIntervals, Stays } from './wire';

export type Query = NonNullable<Sending['query']>;

const patience = 60_000; // milliseconds: a heat map of a year reads many hours

const ofLot = (lotId: string, what: string) => `/api/v1/lots/${encodeURIComponent(lotId)}/${what}`;
const ofSpot = (spotId: string, what: string) => `/api/v1/spots/${encodeURIComponent(spotId)}/${what}`;

export const metricsPath = (lotId: string): string => ofLot(lotId, 'metrics');
export const heatmapPath = (lotId: string): string => ofLot(lotId, 'heatmap');
export const staysPath = (lotId: string): string => ofLot(lotId, 'stays');
export const spotStaysPath = (spotId: string): string => ofSpot(spotId, 'stays');
export const spotIntervalsPath = (spotId: string): string => ofSpot(spotId, 'intervals');

export class HistoryApi {
  constructor(private readonly api: Api) {}

  metrics(lotId: string, query: Query, signal: AbortSignal): Promise<Metrics> {
    return this.get(metricsPath(lotId), query, signal);
  }

  heatmap(lotId: string, query: Query, signal: AbortSignal): Promise<Heatmap> {
    return this.get(heatmapPath(lotId), query, signal);
  }

  stays(lotId: string, query: Query, signal: AbortSignal): Promise<Stays> {
    return this.get(staysPath(lotId), query, signal);
  }

  spotStays(spotId: string, query: Query, signal: AbortSignal): Promise<Stays> {
    return this.get(spotStaysPath(spotId), query, signal);
  }

  spotIntervals(spotId: string, query: Query, signal: AbortSignal): Promise<SpotIntervals> {
    return this.get(spotIntervalsPath(spotId), query, signal);
  }

  private get<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
    return this.api.ask<T>('GET', path, { query, signal, patience });
  }
}
