// SPDX-License-Identifier: Apache-2.0
// For tests: a worker that claims again while it is being paid.
pragma solidity >=0.8.20 <0.9.0;

import {IZkInferVerifier} from "./ZkInferVerifier.sol";
import {InferenceBounty} from "./InferenceBounty.sol";

contract GreedyWorker {
    bytes private again;
    bool public refused;

    /// Prepares what the bounty is called with on payment.
    function prepare(bytes calldata data) external {
        again = data;
    }

    receive() external payable {
        (bool ok,) = msg.sender.call(again);
        refused = !ok;
    }
}
