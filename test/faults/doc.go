// Command faults breaks everything that Vaultpane depends on, one thing after the other and then several at once, kills its processes
// all the while, and watches the stores from outside with a program that shares no code with it. It says which promise did not hold.
// It runs the agents in a cluster and on machines without one, over the directory store and as Windows executables under Wine. It is
// bounded in time and kills, and sends traffic to this machine only.
package main
