/**
 * Named vectors as values: names and keys, drafts and their checks, versions and aliases as the
 * topics hold them, and what a change writes. Nothing here knows a network.
 */
package io.lensflow.steering.vector;
