// Compiles the contracts beside it with solc from npm. usage: node compile.js OUTPUT
// Writes {NAME: {"bytecode": "0x...", "methods": {"transfer(address,uint256)": "a9059cbb", ...}}}.
"use strict";

const fs = require("fs");
const path = require("path");
const solc = require("solc");

const sources = {};
for (const name of fs.readdirSync(__dirname).filter((name) => name.endsWith(".sol")).sort())
    sources[name] = { content: fs.readFileSync(path.join(__dirname, name), "utf8") };

const output = JSON.parse(solc.compile(JSON.stringify({
    language: "Solidity",
    sources,
    settings: {
        evmVersion: "paris", // nothing newer than what every chain has
        outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.methodIdentifiers"] } },
    },
})));
const complaints = output.errors || []; // warnings as well: there shall be none
if (complaints.length > 0) {
    process.stderr.write(complaints.map((complaint) => complaint.formattedMessage).join("\n"));
    process.exit(1);
}

const contracts = {};
for (const file of Object.values(output.contracts)) {
    for (const [name, contract] of Object.entries(file))
        contracts[name] = { bytecode: "0x" + contract.evm.bytecode.object, methods: contract.evm.methodIdentifiers };
}
fs.writeFileSync(process.argv[2], JSON.stringify(contracts, null, 1) + "\n");
