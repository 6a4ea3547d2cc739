// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// A token as it should be, with as many decimals as a test asks for. Whoever makes it owns everything. `setDecimals`
// lets it change its mind, `setPaused` lets its transfers revert.
contract Token {
    string public symbol;
    uint8 public decimals;
    uint256 public totalSupply;
    bool public paused;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint8 decimals_, uint256 supply) {
        symbol = "TOK";
        decimals = decimals_;
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        require(!paused, "Token: paused");
        require(balanceOf[msg.sender] >= value, "Token: balance too low");
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
