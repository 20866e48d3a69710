// Package evmtest tests the contracts of package evm: compiled by solc, deployed and called in a real
// virtual machine. It is a module of its own, so that the machine is no dependency of zkinfer.
//
// It needs node and npm's solc@0.8.37 where NODE_PATH says; .ci/run installs it.
package evmtest
