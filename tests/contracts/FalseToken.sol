// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Answers false where others revert: the transaction succeeds, and nothing was paid. `setRefuses` says when; otherwise
// it refuses only what the balance does not cover.
contract FalseToken {
    string public constant symbol = "FALSE";
    uint8 public constant decimals = 18;
    bool public refuses;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
    }

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (refuses || balanceOf[msg.sender] < value) return false;
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
