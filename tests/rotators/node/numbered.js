// The numbered lines, as numbered.py has them.
'use strict';

const LINES_A_TICK = 10;
const TICK_MILLISECONDS = 10;

function line(number) {
  const padding = 'x'.repeat(1 + ((number * 7) % 80));
  return `line ${String(number).padStart(9, '0')} ${String(Date.now()).padStart(13, '0')} ${padding}`;
}

// Hands lines to `write` for so long; resolves to their number.
async function writeFor(seconds, write) {
  console.log('writing');
  const end = Date.now() + seconds * 1000;
  let number = 0;
  while (Date.now() < end) {
    for (let i = 0; i < LINES_A_TICK; i++) await write(line(number++));
    await new Promise((resolve) => setTimeout(resolve, TICK_MILLISECONDS));
  }
  return number;
}

module.exports = { writeFor };
