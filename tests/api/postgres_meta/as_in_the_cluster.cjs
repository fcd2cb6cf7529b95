// Loaded before postgres-meta: the name of a project's database leads to the test's PostgreSQL, as
// the cluster's DNS and the Service would have it.
const net = require('node:net')

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (port, host, ...more) {
  if (/^db\.supabase-[a-z]{20}\.svc$/.test(host) && Number(port) === 5432) {
    return connect.call(this, Number(process.env.TEST_DATABASE_PORT), '127.0.0.1', ...more)
  }
  return connect.call(this, port, host, ...more)
}
