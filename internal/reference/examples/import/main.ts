import { readFile } from 'node:fs/promises';

const answer = await fetch('http://localhost:5000/api/v1/lots/central/spots:import?createZones=1', {
  method: 'POST',
  headers: { Authorization: `Bearer ${process.env.PARKWIRE_TOKEN}`, 'Content-Type': 'text/csv' },
  body: await readFile('spots.csv'),
});
const report = await answer.json();
console.log(report.added, report.changed, report.unchanged);
for (const { line, spotId, reason, remedy } of report.errors) console.log(line, spotId, reason, remedy);
