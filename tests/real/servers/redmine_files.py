"""Redmine's files, as text: what differs from Debian's application, and the data that it begins with."""

from dataclasses import dataclass
from pathlib import Path

from tests.real.servers.process import HOST

TENANT = "tests"
"""Debian's Redmine reads the rest of its configuration below ``instances/`` and this name."""
PROJECT = "support"
OTHER_PROJECT = "secret"
"""A project that the prober may not see."""
TAGS_FIELD = "Tags"
TAG = "synthetic"
EMISSION_ADDRESS = "redmine@acme.test"
CANARY, STRANGER = "canary@probe.test", "jane@customer.test"
OPEN_STATUS, CLOSED_STATUS = 1, 5
# All that finding, reading, tagging and closing need. Deleting needs delete_issues as well.
MINIMAL_RIGHTS = ("view_issues", "edit_issues")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a Redmine lives.

    Attributes:
        directory: its own; the application's copy is in `application`, mails that it sends in `mails`.
    """

    directory: Path
    port: int

    @property
    def application(self) -> Path:
        """The root of the application."""
        return self.directory / "redmine"

    @property
    def instance(self) -> Path:
        """The folder of Debian's tenant: configuration, attachments, log."""
        return self.application / "instances" / TENANT

    @property
    def database(self) -> Path:
        """SQLite's file."""
        return self.directory / "redmine.sqlite3"

    @property
    def mails(self) -> Path:
        """A file for each recipient, with all mails to them in it."""
        return self.directory / "mails"


def gemfile(debian: str) -> str:
    """Debian's list of libraries with the two that it leaves to the administrator: database and web server."""
    return f"{debian}\ngem 'sqlite3'\ngem 'puma'\n"


def database_configuration(site: Site) -> str:
    """``database.yml``."""
    return f"production:\n  adapter: sqlite3\n  database: {site.database}\n  timeout: 20000\n"


def mail_configuration(site: Site) -> str:
    """``configuration.yml``: mail goes to files."""
    return f"""
default:
  email_delivery:
    delivery_method: :file
    file_settings:
      location: {site.mails}
"""


def environment() -> str:
    """``environments/production.rb``: classes are loaded when used (half the start), mails sent in the request.

    Puma sends no header ``Date``, which every web server before it does: so do we.
    """
    return """
class Dated
  def initialize(application)
    @application = application
  end

  def call(environment)
    status, headers, body = @application.call(environment)
    [status, headers.merge('Date' => Time.now.httpdate), body]
  end
end

Rails.application.configure do
  config.middleware.insert_before 0, Dated
  config.cache_classes = true
  config.eager_load = false
  config.consider_all_requests_local = false
  config.action_controller.perform_caching = true
  config.active_support.deprecation = :silence
  config.active_job.queue_adapter = :inline
  config.action_mailer.raise_delivery_errors = false
  config.action_mailer.logger = nil
end
"""


def seed() -> str:
    """Ruby that fills a migrated database: settings, a project, the prober and two customers; says all keys."""
    return f"""
ActiveRecord::Migration.verbose = false
ActiveRecord::MigrationContext.new(Rails.root.join('db', 'migrate').to_s, ActiveRecord::SchemaMigration).migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)
require 'json'
ActionMailer::Base.perform_deliveries = false
Redmine::DefaultData::Loader.load('en')
Setting.rest_api_enabled = '1'
Setting.mail_handler_api_enabled = '1'
Setting.mail_handler_api_key = 'mail-key-of-the-tests'
Setting.mail_from = '{EMISSION_ADDRESS}'
Setting.host_name = '{HOST}'
project = Project.create!(name: 'Support', identifier: '{PROJECT}', is_public: true,
  enabled_module_names: ['issue_tracking'], tracker_ids: Tracker.pluck(:id))
Project.create!(name: 'Secret', identifier: '{OTHER_PROJECT}', is_public: false,
  enabled_module_names: ['issue_tracking'], tracker_ids: Tracker.pluck(:id))
IssueCustomField.create!(name: '{TAGS_FIELD}', field_format: 'list', multiple: true, is_for_all: true,
  possible_values: ['{TAG}', 'vip'], tracker_ids: Tracker.pluck(:id), is_filter: true)
role = Role.create!(name: 'Prober', permissions: [], issues_visibility: 'all', users_visibility: 'all')
role.copy_workflow_rules(Role.find_by_name('Developer'))
def person(address, first, last, **more)
  user = User.new(firstname: first, lastname: last, mail: address, language: 'en', **more)
  user.login = address
  user.password = 'not-used-by-tests'
  user.save!
  user.pref.update!(hide_mail: false)
  user
end
prober = person('prober@acme.test', 'Intake', 'Prober', mail_notification: 'none')
Member.create!(project: project, user: prober, roles: [role])
customer = person('{CANARY}', 'Canary', 'Customer', mail_notification: 'none')
stranger = person('{STRANGER}', 'Jane', 'Stranger')
admin = User.find_by_login('admin')
admin.update!(must_change_passwd: false, language: 'en', mail_notification: 'none')
keys = {{ prober: prober, customer: customer, stranger: stranger, admin: admin }}.transform_values(&:api_key)
puts JSON.generate(keys.merge(mail: Setting.mail_handler_api_key))
"""


def grant(rights: tuple[str, ...]) -> str:
    """The role's permissions as Rails keeps them in its column: YAML of symbols."""
    return "---\n" + "".join(f"- :{one}\n" for one in rights)
