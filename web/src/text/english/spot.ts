export const spot = {
  title: 'Spot',
  /** Between a status and the time of its beginning: "free since 14:03". */
  since: 'since',
};
