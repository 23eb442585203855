// Reads the multipart/related body of a document with attachments, as CouchDB defines it: first the document as JSON,
// then the bytes of each attachment marked "follows", in the order in which the document names them.
'use strict';

/** @param {string} contentType */
function boundaryOf(contentType) {
  const found = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  if (!found) throw new Error('multipart/related without a boundary');
  return found[1] || found[2];
}

/** The bodies of all parts, without their headers. @param {Buffer} body @param {string} boundary */
function parts(body, boundary) {
  const bodies = [];
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  let from = body.indexOf(delimiter.subarray(2));
  while (from !== -1) {
    const head = body.indexOf('\r\n', from);
    const start = body.indexOf('\r\n\r\n', head);
    const end = body.indexOf(delimiter, start);
    if (head === -1 || start === -1 || end === -1) break;
    bodies.push(body.subarray(start + 4, Math.max(end, start + 4)));
    from = end + 2;
  }
  return bodies;
}

/** @param {Doc} document @returns {{ follows?: boolean, length?: number, data?: Buffer }[]} */
const attachmentsOf = (document) => Object.values(document._attachments || {});

/**
 * The document with its attachments' bytes in place; throws a sentence when the body is not what it says.
 * @param {Buffer} body
 * @param {string} contentType
 * @returns {Doc}
 */
exports.document = (body, contentType) => {
  const [json, ...files] = parts(body, boundaryOf(contentType));
  if (!json) throw new Error('multipart/related without a document');
  const document = JSON.parse(json.toString('utf8'));
  const following = attachmentsOf(document).filter((attachment) => attachment.follows);
  if (following.length !== files.length) {
    throw new Error(`the document announces ${following.length} attachments, the body has ${files.length}`);
  }
  following.forEach((attachment, index) => {
    if (attachment.length !== files[index].length) {
      throw new Error(`an attachment of ${attachment.length} bytes was announced, ${files[index].length} came`);
    }
    attachment.data = files[index];
    delete attachment.follows;
    delete attachment.length;
  });
  return document;
};
