// What was told, in German: for the page, and for the service worker, which has none of its other words.
import type { Decision } from '../../alerts/wire';

export const categories: Readonly<Record<string, string>> = {
  standard: 'normal', accessible: 'barrierefrei', electric: 'mit Ladesäule', family: 'Familie', motorcycle: 'Motorrad', short_stay: 'Kurzzeit',
};

export const categoryName = (name: string): string => categories[name] ?? name;

export function lasting(minutes: number): string {
  if (minutes === 1) return '1 Minute';
  return minutes < 120 ? `${minutes} Minuten` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

export function toldText(decision: Decision, number: (n: number) => string): string {
  const { condition: { type }, target, lotId, lotName, zoneName, spotId, spotName, free = 0, occupied = 0, counted = 0, occupancyPercent = 0, minutes = 0, text } = decision;
  const lot = lotName ?? lotId;
  const spot = `Platz ${spotName ?? spotId ?? target.spotId ?? ''}`;
  const spotAt = lot === undefined ? spot : `${spot} (${lot})`;
  const of = [target.lotId !== undefined && lot, target.zoneId !== undefined && (zoneName ?? target.zoneId), target.category !== undefined && categoryName(target.category)].filter(Boolean).join(', ');
  switch (type) {
    case 'overstay': return `${spotAt} ist seit ${lasting(minutes)} belegt.`;
    case 'silent': return `Der Sensor von ${spotAt} schweigt seit ${lasting(minutes)}.`;
    case 'occupancy_above': return `${of}: ${number(occupancyPercent)} % belegt, ${number(occupied)} von ${number(counted)} Plätzen.`;
    case 'any_free': case 'free_at_least':
      if (target.spotId !== undefined) return `${spotAt} ist frei.`;
      if (free === 1) return `${of}: ${spotId === undefined ? '1 Platz' : spot} ist frei.`;
      return `${of}: ${number(free)} Plätze sind frei.`;
  }
  return text; // of a newer platform
}
