// Reads what kpl wrote with aws-kinesis-agg and writes the same records itself. The form of the files: see
// kpl/examples/third_party.rs.
'use strict';

const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { deaggregateSync, RecordAggregator } = require('aws-kinesis-agg');

const hexadecimal = (data) => data.toString('hex') || '-';
const fromHexadecimal = (text) => Buffer.from(text === '-' ? '' : text, 'hex');

function read(file) {
  let data = fs.readFileSync(file);
  if (file.endsWith('+gzip.bin')) data = zlib.gunzipSync(data);
  const record = { partitionKey: 'outer', sequenceNumber: '1', data: data.toString('base64') };
  let lines = '';
  deaggregateSync(record, true, (error, members) => {
    for (const member of members || []) {
      const key = hexadecimal(Buffer.from(member.partitionKey));
      lines += `${key} ${member.explicitPartitionKey || '-'} ${hexadecimal(Buffer.from(member.data, 'base64'))}\n`;
    }
  });
  return lines;
}

function write(records) {
  const aggregator = new RecordAggregator();
  for (const line of records.trimEnd().split('\n')) {
    const [key, hashKey, data] = line.split(' ');
    const record = { partitionKey: fromHexadecimal(key).toString(), data: fromHexadecimal(data) };
    if (hashKey !== '-') record.explicitHashKey = hashKey;
    aggregator.addUserRecord(record);
  }
  return aggregator.build().data;
}

const directory = process.argv[2];
for (const file of fs.readdirSync(directory)) {
  if (!file.endsWith('.records')) continue;
  const name = file.slice(0, -'.records'.length);
  fs.writeFileSync(path.join(directory, `${name}.npm.read`), read(path.join(directory, `${name}.bin`)));
  if (!name.startsWith('plain') && !name.endsWith('+gzip')) {
    const records = fs.readFileSync(path.join(directory, file), 'utf8');
    fs.writeFileSync(path.join(directory, `${name}.npm.bin`), write(records));
  }
}
