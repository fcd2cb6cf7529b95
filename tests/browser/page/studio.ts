// What Studio does in a browser, with the libraries that Studio does it with. The test calls it.
import { GoTrueClient, type Session } from '@supabase/auth-js'
import { GoTrueClient as GoTrueClientOf2024 } from 'auth-js-of-2024'
import createClient from 'openapi-fetch'

import type { components, paths } from './schema'

const parameters = new URLSearchParams(location.search)
const url = parameters.get('api')!
const options = {
  url: `${url}/auth`,
  storageKey: 'supabase.dashboard.auth.token',
  autoRefreshToken: false,
}
const auth = (
  parameters.get('generation') === '2024'
    ? new GoTrueClientOf2024(options)
    : new GoTrueClient(options)
) as GoTrueClient

const api = createClient<paths>({ baseUrl: url, credentials: 'include' })
api.use({
  async onRequest({ request }) {
    const { data } = await auth.getSession()
    if (data.session) request.headers.set('Authorization', `Bearer ${data.session.access_token}`)
    request.headers.set('X-Request-Id', crypto.randomUUID())
  },
})

type Answer<T> = { data?: T; error?: unknown; response: Response }

function body<T>({ data, error, response }: Answer<T>): T {
  if (data === undefined) throw new Error(`${response.status} ${JSON.stringify(error)}`)
  return data
}

function session(found: { data: { session: Session | null }; error: Error | null }): Session {
  if (found.error) throw found.error
  return found.data.session!
}

type Wish = components['schemas']['CreateProject']

const studio = {
  async signUp(email: string, password: string) {
    body(await api.POST('/platform/signup', { body: { email, password, hcaptchaToken: null } }))
  },

  async signIn(email: string, password: string) {
    return session(await auth.signInWithPassword({ email, password })).user.email
  },

  async refresh() {
    const before = session(await auth.getSession())
    const after = session(await auth.refreshSession())
    return before.refresh_token !== after.refresh_token
  },

  /** The access token that is no longer worth anything. */
  async signOut() {
    const { access_token } = session(await auth.getSession())
    const { error } = await auth.signOut()
    if (error) throw error
    return { access_token, signedIn: session(await auth.getSession()) !== null }
  },

  async assurance() {
    const { data, error } = await auth.mfa.getAuthenticatorAssuranceLevel()
    if (error) throw error
    return [data.currentLevel, data.nextLevel]
  },

  async enroll(name: string) {
    const { data, error } = await auth.mfa.enroll({ factorType: 'totp', friendlyName: name })
    if (error) throw error
    return { id: data.id, secret: data.totp.secret, picture: data.totp.qr_code }
  },

  async verify(factorId: string, code: string) {
    const { error } = await auth.mfa.challengeAndVerify({ factorId, code })
    if (error) throw error
  },

  async factors() {
    const { data, error } = await auth.mfa.listFactors()
    if (error) throw error
    return data.totp.map((factor) => factor.id)
  },

  async profile() {
    return body(await api.GET('/platform/profile')).primary_email
  },

  async organization(name: string) {
    return body(await api.POST('/platform/organizations', { body: { name } })).slug
  },

  async create(wish: Wish) {
    return body(await api.POST('/platform/projects', { body: wish })).ref
  },

  async list() {
    const query = { limit: 10, offset: 0, sort: 'name_asc' as const, search: '' }
    const params = { query, header: { Version: '2' } }
    const answer = body(await api.GET('/platform/projects', { params }))
    if (Array.isArray(answer)) throw new Error('an array, where a page was asked for')
    return answer.projects.map(({ name, status }) => ({ name, status }))
  },

  async status(ref: string) {
    const params = { path: { ref } }
    return body(await api.GET('/platform/projects/{ref}/status', { params })).status
  },

  async rename(ref: string, name: string) {
    const params = { path: { ref } }
    return body(await api.PATCH('/platform/projects/{ref}', { params, body: { name } })).name
  },

  async remove(ref: string) {
    const params = { path: { ref } }
    return body(await api.DELETE('/platform/projects/{ref}', { params })).ref
  },

  /** A plain request with credentials, and which of its headers the page may read. */
  async bare(path: string, init: RequestInit, readable: string[]) {
    const answer = await fetch(url + path, { credentials: 'include', ...init })
    const headers = Object.fromEntries(readable.map((name) => [name, answer.headers.get(name)]))
    return { status: answer.status, body: await answer.text(), headers }
  },
}

Object.assign(window, { studio })
