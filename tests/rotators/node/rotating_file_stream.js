// rotating-file-stream: rotating_file_stream.js DIRECTORY MANNER SECONDS.
'use strict';

const { once } = require('node:events');
const rfs = require('rotating-file-stream');
const { writeFor } = require('./numbered');

const MANNERS = {
  size: { size: '16K' },
  time: { interval: '1s' },
  gzip: { size: '16K', compress: 'gzip' },
  // The log's name stays with its file until the next one: app.log, app.log.1, ...
  classic: { size: '16K', rotate: 1000 },
  // The present file has a name with its time from the beginning.
  immutable: { size: '16K', interval: '1s', immutable: true },
};

const two = (value) => String(value).padStart(2, '0');

// The package's own default is YYYYMMDD-hhmm-NN-name; this one goes to the second.
function dated(ending) {
  return (time, index) => {
    if (!time) return 'app.log';
    const date = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
    const clock = `${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
    return `app-${date}-${clock}-${two(index)}.log${ending}`;
  };
}

async function main() {
  const [directory, manner, seconds] = process.argv.slice(2);
  const name = { classic: 'app.log', default: 'app.log', gzip: dated('.gz') }[manner] ?? dated('');
  const options = manner === 'default' ? MANNERS.size : MANNERS[manner];
  const stream = rfs.createStream(name, { path: directory, ...options });
  const written = await writeFor(Number(seconds), async (line) => {
    if (!stream.write(`${line}\n`)) await once(stream, 'drain');
  });
  stream.end();
  await once(stream, 'finish');
  console.log(written);
}

main();
