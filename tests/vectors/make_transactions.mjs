// A second opinion on signed EIP-1559 transactions, by an implementation that shares no code with ours.
//
//   node tests/vectors/make_transactions.mjs            writes tests/fixtures/transactions.json
//   emit_transactions SEED N | node tests/vectors/make_transactions.mjs --check
//                                                       reads our transactions (one JSON object a line) and verifies each
//
// Needs `npm ci` in the repository. The output depends on nothing but this file: signatures are deterministic (RFC 6979).
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Common } from '@ethereumjs/common';
import { FeeMarketEIP1559Transaction } from '@ethereumjs/tx';
import { bytesToHex, hexToBytes, privateToAddress } from '@ethereumjs/util';

const FIXTURE = new URL('../fixtures/transactions.json', import.meta.url);

const commons = new Map();
function common(chainId) {
    if (!commons.has(chainId))
        commons.set(chainId, Common.custom({ chainId: BigInt(chainId) }, { hardfork: 'london', eips: [2718, 2930] }));
    return commons.get(chainId);
}

function sign(fields, privateKey) {
    const unsigned = FeeMarketEIP1559Transaction.fromTxData(
        {
            chainId: BigInt(fields.chain_id),
            nonce: BigInt(fields.nonce),
            maxPriorityFeePerGas: BigInt(fields.max_priority_fee_per_gas),
            maxFeePerGas: BigInt(fields.max_fee_per_gas),
            gasLimit: BigInt(fields.gas_limit),
            to: fields.to,
            value: BigInt(fields.value),
            data: fields.data,
        },
        { common: common(fields.chain_id) },
    );
    const signed = unsigned.sign(hexToBytes(privateKey));
    return {
        private_key: privateKey,
        sender: bytesToHex(privateToAddress(hexToBytes(privateKey))),
        ...fields,
        signing_hash: bytesToHex(unsigned.getHashedMessageToSign()),
        raw: bytesToHex(signed.serialize()),
        hash: bytesToHex(signed.hash()),
    };
}

// The plain payment that every vector is a variation of. Numbers are decimal strings: JSON's own lose digits.
const PLAIN = {
    chain_id: '31337',
    nonce: '7',
    max_priority_fee_per_gas: '2000000000',
    max_fee_per_gas: '200000000000',
    gas_limit: '21000',
    to: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    value: '1500000000000000000',
    data: '0x',
};

const KEYS = [
    '0x0000000000000000000000000000000000000000000000000000000000000001',
    '0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140', // the order of the curve, minus 1
    '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80', // anvil's account 0
    '0x00000000000000000000000000000000000000000000000000000000deadbeef',
];

function dataOf(length, first) {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = (first + 7 * i) & 255;
    return bytesToHex(bytes);
}

function variations() {
    const u64 = 2n ** 64n;
    const list = [];
    const vary = (name, values) => values.forEach((value) => list.push({ [name]: String(value) }));
    vary('nonce', [0, 1, 127, 128, 255, 256, 65535, 65536, 2n ** 53n, 2n ** 53n + 1n, u64 - 2n]);
    vary('value', [0, 1, 127, 128, 2n ** 64n - 1n, 2n ** 64n, 2n ** 128n, 2n ** 255n, 2n ** 256n - 1n]);
    vary('chain_id', [1, 127, 128, 11155111, 2n ** 53n - 1n]);
    vary('gas_limit', [0, 53000, 30000000, u64 - 1n]);
    for (const [length, first] of [[1, 0], [1, 1], [1, 0x7f], [1, 0x80], [1, 0xff], [2, 0], [31, 9], [32, 9], [54, 9], [55, 9],
        [56, 9], [57, 9], [255, 9], [256, 9], [257, 9], [1000, 9], [4000, 9]])
        list.push({ data: dataOf(length, first) });
    for (const [priority, most] of [[0, 0], [0, 1], [1, 1], [127, 128], [128, 128], [1, 2n ** 53n], [u64 - 1n, u64 - 1n]])
        list.push({ max_priority_fee_per_gas: String(priority), max_fee_per_gas: String(most) });
    list.push({ to: '0x0000000000000000000000000000000000000000' });
    list.push({ to: '0x0000000000000000000000000000000000000001' });
    list.push({ to: '0xffffffffffffffffffffffffffffffffffffffff' });
    // Enough plain ones that r and s with a leading zero byte, and both parities, are among them.
    for (let nonce = 1000; nonce < 1008; nonce++) list.push({ nonce: String(nonce), data: dataOf(nonce % 5, nonce) });
    return list;
}

// Signatures with a short r or s are rare (1 in 128): look for some.
function shortSignatures(count) {
    const found = [];
    for (let nonce = 2000; found.length < count; nonce++) {
        const vector = sign({ ...PLAIN, nonce: String(nonce) }, KEYS[2]);
        const { r, s } = FeeMarketEIP1559Transaction.fromSerializedTx(hexToBytes(vector.raw), { common: common('31337') });
        if (r < 2n ** 248n || s < 2n ** 248n) found.push(vector);
    }
    return found;
}

function write() {
    const vectors = variations().map((fields, i) => sign({ ...PLAIN, ...fields }, KEYS[i % KEYS.length]));
    vectors.push(...shortSignatures(4));
    writeFileSync(FIXTURE, JSON.stringify(vectors, null, 1) + '\n');
    console.error(`${vectors.length} transactions written`);
}

function differences(line) {
    const tx = FeeMarketEIP1559Transaction.fromSerializedTx(hexToBytes(line.raw), { common: common(line.chain_id) });
    const decoded = {
        sender: tx.getSenderAddress().toString(),
        chain_id: tx.chainId.toString(),
        nonce: tx.nonce.toString(),
        max_priority_fee_per_gas: tx.maxPriorityFeePerGas.toString(),
        max_fee_per_gas: tx.maxFeePerGas.toString(),
        gas_limit: tx.gasLimit.toString(),
        to: tx.to.toString(),
        value: tx.value.toString(),
        data: bytesToHex(tx.data),
        hash: bytesToHex(tx.hash()),
        signature_valid: String(tx.verifySignature()),
    };
    const expected = { ...line, signature_valid: 'true' };
    return Object.keys(decoded).filter((name) => decoded[name] !== String(expected[name]).toLowerCase());
}

async function check() {
    let count = 0, wrong = 0;
    for await (const text of createInterface({ input: process.stdin })) {
        count++;
        let found;
        try {
            found = differences(JSON.parse(text));
        } catch (error) {
            found = [error.message];
        }
        if (found.length > 0) {
            wrong++;
            console.error(`transaction ${count} differs: ${found.join(', ')}`);
        }
    }
    console.error(`${count} transactions checked, ${wrong} differ`);
    // Nothing checked is no success: the producer may have died.
    process.exitCode = count > 0 && wrong === 0 ? 0 : 1;
}

if (process.argv[2] === '--check') await check();
else if (process.argv.length === 2) write();
else {
    console.error('usage: make_transactions.mjs [--check]');
    process.exitCode = 2;
}
