//go:build !realnode

package main

// nodeParts are compiled in by the tag realnode.
var nodeParts []part
