// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Keeps a hundredth of each transfer: the destination gets less than was sent. The fee goes to whoever made it.
contract FeeToken {
    string public constant symbol = "FEE";
    uint8 public constant decimals = 18;
    address public immutable collector;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        collector = msg.sender;
        balanceOf[msg.sender] = supply;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 fee = msg.sender == collector ? 0 : value / 100;
        require(balanceOf[msg.sender] >= value, "FeeToken: balance too low");
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value - fee;
        balanceOf[collector] += fee;
        emit Transfer(msg.sender, to, value - fee);
        if (fee > 0) emit Transfer(msg.sender, collector, fee);
        return true;
    }
}
