// Package tidy reads the settings at a site, as people and tools wrote them. It puts their form right and says so; what they mean
// it does not guess. What it cannot read it leaves out, and says who has to act.
//
// What is tidy is read by the package settings, as the agent without a cluster reads it.
package tidy
