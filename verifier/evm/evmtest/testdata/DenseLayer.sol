// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A dense layer of int8 that every node computes, for measuring what that costs instead of a proof. Its weights are another
/// contract's code, which everybody reads. Both contracts give the same answers.
abstract contract DenseLayer {
    address internal immutable weights;
    uint256 internal immutable inputs;
    uint256 internal immutable outputs;
    uint256 internal immutable shift;

    constructor(bytes memory data, uint256 inputs_, uint256 outputs_, uint256 shift_) {
        (inputs, outputs, shift) = (inputs_, outputs_, shift_);
        // The code of a contract that is data: what copies it, then a byte that stops whoever calls it.
        bytes memory code = abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a3d393df300", data);
        address place;
        assembly ("memory-safe") {
            place := create(0, add(code, 32), mload(code))
        }
        require(place != address(0), "too long for the code of one contract");
        weights = place;
    }

    function read() internal view returns (bytes memory data) {
        address place = weights;
        assembly ("memory-safe") {
            let size := sub(extcodesize(place), 1)
            data := mload(0x40)
            mstore(0x40, add(data, and(add(size, 63), not(31))))
            mstore(data, size)
            extcodecopy(place, add(data, 32), 1, size)
        }
    }

    /// Rounds half up and clamps to int8.
    function requantize(int256 sum) internal view returns (bytes1) {
        unchecked {
            sum = (sum + int256(1 << (shift - 1))) >> shift;
            sum = sum < -128 ? -128 : int256(sum > 127 ? int256(127) : sum);
            return bytes1(uint8(int8(sum)));
        }
    }
}

/// As one writes it: a byte a weight, row by row.
contract PlainDense is DenseLayer {
    constructor(bytes memory data, uint256 i, uint256 o, uint256 s) DenseLayer(data, i, o, s) {}

    function run(bytes calldata x) external view returns (bytes memory y) {
        unchecked {
            bytes memory w = read();
            y = new bytes(outputs);
            uint256 place = 0;
            for (uint256 n = 0; n < outputs; n++) {
                int256 sum = 0;
                for (uint256 k = 0; k < inputs; k++) {
                    sum += int256(int8(uint8(w[place++]))) * int256(int8(uint8(x[k])));
                }
                y[n] = requantize(sum);
            }
        }
    }
}

/// Eight products in one multiplication: with w + 128 in ascending and x + 128 in descending lanes of 32 bits, the highest lane of
/// the product of two words is their scalar product. A row is its correction, −128·Σw − 128²·inputs, and then its words;
/// inputs are a multiple of 64.
contract PackedDense is DenseLayer {
    constructor(bytes memory data, uint256 i, uint256 o, uint256 s) DenseLayer(data, i, o, s) {}

    function run(bytes calldata x) external view returns (bytes memory y) {
        unchecked {
            bytes memory w = read();
            (uint256[] memory v, int256 total) = pack(x);
            y = new bytes(outputs);
            uint256 row;
            assembly ("memory-safe") {
                row := add(w, 32)
            }
            for (uint256 n = 0; n < outputs; n++) {
                int256 correction;
                uint256 sum;
                (correction, sum, row) = scalarProduct(row, v);
                y[n] = requantize(int256(sum) + correction - 128 * total);
            }
        }
    }

    function pack(bytes calldata x) private view returns (uint256[] memory v, int256 total) {
        unchecked {
            v = new uint256[](inputs / 8);
            for (uint256 k = 0; k < v.length; k++) {
                uint256 word = 0;
                for (uint256 j = 0; j < 8; j++) {
                    int256 value = int256(int8(uint8(x[8 * k + j])));
                    total += value;
                    word = word << 32 | uint256(value + 128);
                }
                v[k] = word;
            }
        }
    }

    function scalarProduct(uint256 row, uint256[] memory v) private pure returns (int256 correction, uint256 sum, uint256 next) {
        assembly ("memory-safe") {
            correction := mload(row)
            next := add(row, 32)
            let q := add(v, 32)
            for { let end := add(q, shl(5, mload(v))) } lt(q, end) { q := add(q, 256) } {
                sum := add(sum, mul(mload(next), mload(q)))
                sum := add(sum, mul(mload(add(next, 32)), mload(add(q, 32))))
                sum := add(sum, mul(mload(add(next, 64)), mload(add(q, 64))))
                sum := add(sum, mul(mload(add(next, 96)), mload(add(q, 96))))
                sum := add(sum, mul(mload(add(next, 128)), mload(add(q, 128))))
                sum := add(sum, mul(mload(add(next, 160)), mload(add(q, 160))))
                sum := add(sum, mul(mload(add(next, 192)), mload(add(q, 192))))
                sum := add(sum, mul(mload(add(next, 224)), mload(add(q, 224))))
                next := add(next, 256)
            }
            sum := shr(224, sum)
        }
    }
}
