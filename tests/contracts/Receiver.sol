// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Receives coins if it likes to, and needs more gas for it than a plain transfer has.
contract Receiver {
    bool public refuses;
    uint256 public received;

    event Received(address indexed from, uint256 value);

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    receive() external payable {
        require(!refuses, "Receiver: refused");
        received += msg.value;
        emit Received(msg.sender, msg.value);
    }
}
