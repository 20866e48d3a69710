// SPDX-License-Identifier: Apache-2.0
//
// An example of a contract that acts on proofs: read it, then write your own. It pays a worker once for each inference that
// somebody asked for. What it shows, and what every such contract has to decide:
//
//   Which model?    The verifier's: it was fixed when that was deployed. Compare modelCommitment() with the model you mean.
//   Which question? Inputs are paid for only if they were asked for.
//   Which context?  The contract's own, never the caller's: a proof made for another purpose pays nothing here.
//   Once?           Keyed on the statement's digest. Proof bytes can be changed into another valid proof; the digest cannot.
//                   With private tensors each proof has a digest of its own, so this contract refuses them.
//   To whom?        The worker. If anybody may claim, put the claimant into the context, or a proof seen in a pending
//                   transaction is claimed by whoever pays more for gas.
pragma solidity >=0.8.20 <0.9.0;

import {IZkInferVerifier} from "./ZkInferVerifier.sol";

/// @title Pays a worker once for each proved inference.
contract InferenceBounty {
    IZkInferVerifier public immutable verifier;
    address payable public immutable worker;
    bytes32 public immutable contextHash;

    /// What a question pays, by the hash of its inputs.
    mapping(bytes32 question => uint256) public rewards;
    /// Statements that were paid for.
    mapping(bytes32 digest => bool) public paid;

    event Asked(bytes32 indexed question, uint256 reward);
    event Paid(bytes32 indexed digest, bytes32 indexed question, bytes[] outputs, uint256 reward);

    error PrivateTensors();
    error OtherContext();
    error AlreadyAsked(bytes32 question);
    error NotAsked(bytes32 question);
    error AlreadyPaid(bytes32 digest);
    error PaymentFailed();

    /// @param context_ what proofs must be made for: choose one that no other contract uses, such as this one's purpose and
    /// a random number.
    constructor(IZkInferVerifier verifier_, address payable worker_, bytes memory context_) {
        if (verifier_.hasPrivateTensors()) revert PrivateTensors();
        verifier = verifier_;
        worker = worker_;
        contextHash = keccak256(context_);
    }

    /// The key of a question in rewards.
    function questionOf(bytes[] calldata inputs) public pure returns (bytes32) {
        return keccak256(abi.encode(inputs));
    }

    /// Asks what the model answers to these inputs, for the value sent along.
    function ask(bytes[] calldata inputs) external payable {
        bytes32 question = questionOf(inputs);
        if (rewards[question] != 0) revert AlreadyAsked(question);
        rewards[question] = msg.value;
        emit Asked(question, msg.value);
    }

    /// Pays for an answer with its proof. Anybody may send it, the worker is paid.
    function claim(bytes calldata proof, IZkInferVerifier.Statement calldata statement) external {
        if (keccak256(statement.context) != contextHash) revert OtherContext();
        bytes32 question = questionOf(statement.inputs);
        uint256 reward = rewards[question];
        if (reward == 0) revert NotAsked(question);
        bytes32 digest = verifier.verify(proof, statement);
        if (paid[digest]) revert AlreadyPaid(digest);
        paid[digest] = true; // before the payment, whose receiver may call again
        emit Paid(digest, question, statement.outputs, reward);
        (bool ok,) = worker.call{value: reward}("");
        if (!ok) revert PaymentFailed();
    }
}
