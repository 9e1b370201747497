const readings = [{ spotId: 'A-017', occupied: true, observedAt: new Date().toISOString(), sensorId: 's-9f3' }];
const answer = await fetch('http://localhost:5000/api/v1/observations', {
  method: 'POST',
  headers: { Authorization: `Bearer ${process.env.PARKWIRE_TOKEN}`, 'Content-Type': 'application/json' },
  body: JSON.stringify(readings),
}); // where this fails, send the same again: it does no harm
console.log(await answer.json());
