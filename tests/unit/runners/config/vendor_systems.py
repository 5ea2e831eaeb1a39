"""Vendors' systems written as `type: http`, after their published contracts: what the grammar must be able to say."""

ZENDESK = """
url: https://acme.zendesk.com
secrets: {id: {env: KEY}, key: {env: KEY}}
auth:
  exchange:
    post: /oauth/tokens
    json: {grant_type: client_credentials, client_id: "{{ secret.id }}", client_secret: "{{ secret.key }}", scope: "read tickets:write"}
    take: {token: access_token, lifetime: {pick: expires_in, default: null}}
  bearer: "{{ auth.token }}"
  lifetime: 25m
vars:
  user_id: {per: requesters, get: /api/v2/users/search.json, query: {query: "{{ requester }}"}, pick: "users[0].id"}
ticket:
  id: id
  subject: subject
  body: description
  requester: {join: {table: users, key: id, on: requester_id, pick: email}}
  created_at: created_at
  channel: via.channel
  open: {pick: status, not_among: [solved, closed]}
  tags: tags
  url: "https://acme.zendesk.com/agent/tickets/{{ ticket.id }}"
find:
  mine:
    when: poll
    per: requesters
    get: "/api/v2/users/{{ vars.user_id }}/tickets/requested.json"
    query: {sort_by: created_at, sort_order: desc, per_page: 100, include: users}
    page: {next: {pick: next_page}}
    order: newest_first
    max_pages: 3
    rows: tickets
  wide:
    when: deadline
    get: /api/v2/tickets.json
    query: {sort: "-id", "page[size]": 100, include: users}
    page: {cursor: {pick: meta.after_cursor, into: {query: "page[after]"}, more: meta.has_more}}
    order: newest_first
    rows: tickets
channel: {email: [email], portal: [web], form: [web, api]}
diverted:
  suspended:
    get: /api/v2/suspended_tickets.json
    query: {sort_by: created_at, sort_order: desc}
    page: {next: {pick: next_page}}
    order: newest_first
    rows: suspended_tickets
    ticket: {id: id, subject: subject, body: {pick: content, as: html}, requester: author.email, created_at: created_at, reason: cause}
    clean: [{batch: 100, delete: /api/v2/suspended_tickets/destroy_many.json, query: {ids: "{{ ids | join(',') }}"}, ok: [200, 204]}]
sight: {get: /api/v2/users/me.json, must: user.id}
clean:
  read: {get: "/api/v2/tickets/{{ ticket.id }}.json", row: ticket}
  close:
    - batch: 100
      put: /api/v2/tickets/update_many.json
      query: {ids: "{{ ids | join(',') }}"}
      json: {ticket: {status: closed, additional_tags: ["{{ tag }}"]}}
      job: {get: "{{ answer.job_status.url }}", done: "job_status.status == 'completed'", failed: "job_status.status == 'failed'", every: 2s, for: 60s}
budget:
  account: {remaining: {header: ratelimit-remaining}, limit: {header: ratelimit-limit}, reset: {header: ratelimit-reset}}
  list: {from: {header: zendesk-ratelimit-tickets-index}, regex: "total=(?P<limit>\\\\d+); remaining=(?P<remaining>\\\\d+); resets=(?P<reset>\\\\d+)"}
"""

REDMINE = """
url: https://redmine.acme.example
headers: {X-Redmine-API-Key: "{{ secret.key }}"}
secrets: {key: {env: KEY}}
ticket:
  id: id
  subject: subject
  body: description
  created_at: created_on
  open: {pick: status.is_closed, not_among: [true], default: false}
  url: "https://redmine.acme.example/issues/{{ ticket.id }}"
find:
  recent:
    get: /issues.json
    query: {project_id: support, status_id: "*", subject: "~{{ marker }}", created_on: ">={{ since | iso }}", sort: "created_on:desc"}
    page: {offset: {param: offset, size_param: limit, size: 100, total: total_count}}
    order: newest_first
    max_pages: 5
    rows: issues
sight: {get: /users/current.json, must: user.id}
clean:
  read: {get: "/issues/{{ ticket.id }}.json", row: issue}
  close:
    - put: "/issues/{{ ticket.id }}.json"
      json: {issue: {status_id: 5, notes: "{{ tag }}", private_notes: true}}
  delete:
    - {delete: "/issues/{{ ticket.id }}.json", ok: [200, 204, {status: 404, means: gone}]}
failures: [{status: 422, pick: "errors[0]", means: bad_request}]
"""

SALESFORCE = """
url: https://login.salesforce.com
secrets: {consumer: {env: KEY}}
auth:
  hosts: [my.salesforce.com]
  jwt: {alg: HS256, key: {env: KEY}, claims: {iss: "{{ secret.consumer }}", sub: prober@acme.example, aud: "https://acme.my.salesforce.com"}}
  exchange:
    post: /services/oauth2/token
    form: {grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: "{{ auth.jwt }}"}
    take: {token: access_token, url: instance_url}
  bearer: "{{ auth.token }}"
headers: {Sforce-Auto-Assign: "FALSE"}
ticket:
  id: Id
  subject: Subject
  body: Description
  requester: SuppliedEmail
  created_at: {pick: CreatedDate, as: {time: "%Y-%m-%dT%H:%M:%S.%f%z"}}
  channel: Origin
  open: {pick: IsClosed, not_among: [true]}
find:
  cases:
    get: /services/data/v61.0/query
    query: {q: "SELECT Id,Subject,Description,SuppliedEmail,Origin,IsClosed,CreatedDate FROM Case WHERE CreatedDate>={{ since | iso }} AND SuppliedEmail IN ({{ requesters | quote | join(',') }}) ORDER BY CreatedDate DESC"}
    page: {next: {pick: nextRecordsUrl}}
    rows: records
    must: "type(done) == 'boolean'"
clean:
  read: {get: "/services/data/v61.0/sobjects/Case/{{ ticket.id }}"}
  close: [{patch: "/services/data/v61.0/sobjects/Case/{{ ticket.id }}", json: {Status: Closed, Synthetic__c: true}, ok: [204]}]
budget: {day: {from: {header: Sforce-Limit-Info}, regex: "api-usage=(?P<used>\\\\d+)/(?P<limit>\\\\d+)"}}
failures: [{status: 403, pick: "[0].errorCode", equals: [REQUEST_LIMIT_EXCEEDED], means: throttled}]
"""

HUBSPOT = """
url: https://api.hubapi.com
secrets: {key: {env: KEY}}
auth: {bearer: "{{ secret.key }}"}
cleanup: none
ticket: {id: id, subject: properties.subject, body: properties.content, created_at: createdAt, tags: properties.synthetic}
find:
  search:
    view: eventual
    lag: 60s
    post: /crm/v3/objects/tickets/search
    json:
      filterGroups: [{filters: [{propertyName: createdate, operator: GTE, value: "{{ since | epoch_ms }}"}]}]
      sorts: [{propertyName: createdate, direction: DESCENDING}]
      properties: [subject, content, synthetic]
      limit: 100
    page: {cursor: {pick: paging.next.after, into: {json: after}}}
    order: newest_first
    rows: results
sight: {get: /account-info/v3/details, must: portalId}
"""

GLPI = """
url: https://glpi.acme.example
secrets: {user: {env: KEY}, app: {env: KEY}}
headers: {App-Token: "{{ secret.app }}"}
auth:
  exchange: {get: /apirest.php/initSession, headers: {Authorization: "user_token {{ secret.user }}"}, take: {token: session_token}}
  headers: {Session-Token: "{{ auth.token }}"}
  end: {get: /apirest.php/killSession}
ticket:
  id: '"2"'
  subject: '"1"'
  body: {pick: '"21"', as: html}
  created_at: {pick: '"15"', as: {time: "%Y-%m-%d %H:%M:%S", zone: Europe/Paris}}
  open: {pick: '"12"', not_among: [5, 6]}
find:
  recent:
    get: /apirest.php/search/Ticket
    query: {"criteria[0][field]": 15, "criteria[0][searchtype]": morethan, "criteria[0][value]": "{{ since | zone('Europe/Paris') | strftime('%Y-%m-%d %H:%M:%S') }}", "forcedisplay[0]": 21, sort: 15, order: DESC}
    page: {range: {query: range, size: 50, total: totalcount}}
    rows: {pick: data, default: []}
    must: "type(totalcount) == 'number'"
diverted:
  refused:
    get: /apirest.php/search/NotImportedEmail
    page: {range: {query: range, size: 50, total: totalcount}}
    rows: {pick: data, default: []}
    ticket: {id: '"2"', subject: '"1"', reason: '"19"'}
clean:
  close: [{put: "/apirest.php/Ticket/{{ ticket.id }}", json: {input: {id: "{{ ticket.id | int }}", status: 6}}, ok: [200, 207]}]
"""

SERVICENOW = """
url: https://acme.service-now.com
secrets: {key: {env: KEY}}
auth: {basic: {username: prober, password: "{{ secret.key }}"}}
cleanup: close
ticket:
  id: sys_id
  subject: short_description
  body: description
  created_at: {pick: sys_created_on, as: {time: "%Y-%m-%d %H:%M:%S", zone: UTC}}
  channel: contact_type
  open: {pick: state, not_among: ["7", "8"]}
find:
  recent:
    get: /api/now/table/incident
    query: {sysparm_query: "sys_created_on>={{ since | strftime('%Y-%m-%d %H:%M:%S') }}^ORDERBYDESCsys_created_on", sysparm_limit: 100, sysparm_fields: "sys_id,short_description,description,sys_created_on,contact_type,state"}
    page: {next: {link: next}}
    order: newest_first
    rows: result
diverted:
  mail:
    get: /api/now/table/sys_email
    query: {sysparm_query: "type=received-ignored^sys_created_on>={{ since | strftime('%Y-%m-%d %H:%M:%S') }}"}
    rows: result
    ticket: {id: sys_id, subject: subject, body: body_text, reason: error_string}
clean:
  read: {get: "/api/now/table/incident/{{ ticket.id }}", row: result}
  close: [{patch: "/api/now/table/incident/{{ ticket.id }}", json: {state: "7", close_code: Resolved, close_notes: "{{ tag }}"}}]
"""

FRESHDESK = """
url: https://acme.freshdesk.com
secrets: {key: {env: KEY}}
auth: {basic: {username: "{{ secret.key }}", password: X}}
ticket:
  id: id
  subject: subject
  body: {pick: description_text, default: null}
  requester: {pick: requester.email, default: null}
  created_at: created_at
  open: {pick: status, not_among: [4, 5]}
  tags: tags
find:
  recent:
    get: /api/v2/tickets
    query: {updated_since: "{{ since | iso }}", include: "requester,description", order_by: created_at, order_type: desc}
    page: {number: {param: page, size_param: per_page, size: 100}}
    order: newest_first
diverted:
  spam:
    get: /api/v2/tickets
    query: {filter: spam, updated_since: "{{ since | iso }}"}
    ticket: {id: id, subject: subject, created_at: created_at, reason: {const: spam}}
clean:
  read: {get: "/api/v2/tickets/{{ ticket.id }}"}
  close: [{put: "/api/v2/tickets/{{ ticket.id }}", json: {status: 5, tags: "{{ ticket.tags | plus(tag) }}"}}]
throttle: {reserve: 20%, share: 50%}
"""

VENDORS = {
    "zendesk": ZENDESK,
    "redmine": REDMINE,
    "salesforce": SALESFORCE,
    "hubspot": HUBSPOT,
    "glpi": GLPI,
    "servicenow": SERVICENOW,
    "freshdesk": FRESHDESK,
}
