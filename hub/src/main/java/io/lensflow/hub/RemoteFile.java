package io.lensflow.hub;

/**
 * A file of a commit on the hub.
 *
 * @param name its name in the repository
 * @param etag names the content: SHA-256 in hex of a large file, Git's SHA-1 of a small one
 * @param size in bytes
 */
record RemoteFile(String name, String etag, long size) {}
