const address = new URL('http://localhost:5000/api/v1/spots?lot=central&status=free');
for (;;) {
  const answer = await fetch(address);
  const { items, next } = await answer.json();
  for (const { spotId, status } of items) console.log(spotId, status);
  if (!next) break;
  address.searchParams.set('cursor', next);
}
