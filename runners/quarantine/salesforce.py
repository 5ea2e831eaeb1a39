"""Salesforce: a record-triggered flow before the save sets a text field and the owner, in the case's own transaction.

Read on 2026-11-30, as far as a search gave their text: the Metadata API's guide on flows; the order of a queue's and a
flow's elements in public repositories. No org has met this package: `sf project deploy start --dry-run` comes first.
"""

import re
from xml.sax.saxutils import escape

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_FLOW = (
    "https://developer.salesforce.com/docs/atlas.en-us.262.0.api_meta.meta/api_meta/meta_visual_workflow.htm"
)
_LOOP = "https://help.salesforce.com/s/articleView?id=000089879&type=1"
_E2C = "https://help.salesforce.com/s/articleView?id=000387063&type=1"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
_VERSION = "61.0"
_FLOW_NAME = "Intake_Prober_Quarantine"


def render(facts: Facts) -> Rendered:
    """Package source: the text field, the queue, the flow, a permission set, and package.xml; and the steps around them."""
    queue = _developer_name(facts.group)
    return Rendered(
        steps=_steps(facts),
        files={
            "package.xml": _package(queue),
            "objects/Case/fields/Synthetic__c.field-meta.xml": _field(),
            f"queues/{queue}.queue-meta.xml": _queue(facts.group),
            f"flows/{_FLOW_NAME}.flow-meta.xml": _flow(facts, queue),
        },
        uses={
            "package.xml": Step("what the package has, for `sf project deploy start --manifest package.xml`"),
            "objects/Case/fields/Synthetic__c.field-meta.xml": Step(
                "the text field on Case that takes the tag"
            ),
            f"queues/{queue}.queue-meta.xml": Step("a queue without members that mails nobody"),
            f"flows/{_FLOW_NAME}.flow-meta.xml": Step("the flow, before the save of a new case", _FLOW),
        },
    )


def _developer_name(group: str) -> str:
    """A queue's API name: letters, digits and single underscores, a letter first."""
    plain = re.sub(r"[\W_]+", "_", group, flags=re.ASCII).strip("_")
    return plain if plain[:1].isalpha() else f"Q_{plain}".rstrip("_")


def _package(queue: str) -> str:
    types = (("CustomField", "Case.Synthetic__c"), ("Queue", queue), ("Flow", _FLOW_NAME))
    members = "".join(
        f"  <types>\n    <members>{escape(member)}</members>\n    <name>{kind}</name>\n  </types>\n"
        for kind, member in types
    )
    return f"{_XML}<Package {_NAMESPACE}>\n{members}  <version>{_VERSION}</version>\n</Package>\n"


def _field() -> str:
    return f"""{_XML}<CustomField {_NAMESPACE}>
  <fullName>Synthetic__c</fullName>
  <description>The tag of intake-prober's synthetic requests; no agent works on them.</description>
  <label>Synthetic</label>
  <length>80</length>
  <type>Text</type>
</CustomField>
"""


def _queue(name: str) -> str:
    return f"""{_XML}<Queue {_NAMESPACE}>
  <doesSendEmailToMembers>false</doesSendEmailToMembers>
  <name>{escape(name)}</name>
  <queueSobject>
    <sobjectType>Case</sobjectType>
  </queueSobject>
</Queue>
"""


def _filter(field: str, operator: str, value: str) -> str:
    return f"""    <filters>
      <field>{field}</field>
      <operator>{operator}</operator>
      <value>
        <stringValue>{escape(value)}</stringValue>
      </value>
    </filters>
"""


def _assigned(field: str, value: str) -> str:
    return f"""    <assignmentItems>
      <assignToReference>$Record.{field}</assignToReference>
      <operator>Assign</operator>
      <value>
        {value}
      </value>
    </assignmentItems>
"""


def _flow(facts: Facts, queue: str) -> str:
    senders = range(2, 2 + len(facts.requesters))
    logic = f"1 AND ({' OR '.join(map(str, senders))})"
    filters = _filter("Subject", "StartsWith", facts.marker) + "".join(
        _filter("SuppliedEmail", "EqualTo", one) for one in facts.requesters
    )
    items = _assigned("Synthetic__c", f"<stringValue>{escape(facts.tag)}</stringValue>") + _assigned(
        "OwnerId", "<elementReference>Find_Queue.Id</elementReference>"
    )
    return f"""{_XML}<Flow {_NAMESPACE}>
  <apiVersion>{_VERSION}</apiVersion>
  <assignments>
    <name>Quarantine</name>
    <label>Quarantine</label>
    <locationX>0</locationX>
    <locationY>0</locationY>
{items}  </assignments>
  <description>Keeps the synthetic cases of intake-prober from agents, service levels and surveys.</description>
  <interviewLabel>Intake Prober Quarantine {{!$Flow.CurrentDateTime}}</interviewLabel>
  <label>Intake Prober Quarantine</label>
  <processType>AutoLaunchedFlow</processType>
  <recordLookups>
    <name>Find_Queue</name>
    <label>Find the queue</label>
    <locationX>0</locationX>
    <locationY>0</locationY>
    <assignNullValuesIfNoRecordsFound>false</assignNullValuesIfNoRecordsFound>
    <connector>
      <targetReference>Quarantine</targetReference>
    </connector>
    <filterLogic>and</filterLogic>
{_filter("Type", "EqualTo", "Queue")}{_filter("DeveloperName", "EqualTo", queue)}    <getFirstRecordOnly>true</getFirstRecordOnly>
    <object>Group</object>
    <storeOutputAutomatically>true</storeOutputAutomatically>
  </recordLookups>
  <start>
    <locationX>0</locationX>
    <locationY>0</locationY>
    <connector>
      <targetReference>Find_Queue</targetReference>
    </connector>
    <filterLogic>{logic}</filterLogic>
{filters}    <object>Case</object>
    <recordTriggerType>Create</recordTriggerType>
    <triggerType>RecordBeforeSave</triggerType>
  </start>
  <status>Draft</status>
</Flow>
"""


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                "Deploy the package to a sandbox: `sf project deploy start --manifest package.xml --dry-run`, then without."
            ),
            Step(
                "The flow runs before the save of a new case and sets Synthetic__c. It comes as a draft: look at it, then activate it.",
                _FLOW,
            ),
            Step(
                "Give the prober's integration user read and edit access to Synthetic__c, in a permission set."
            ),
            Step(
                "Cases of a portal bear ContactId in place of SuppliedEmail: give the flow a further filter on the canary's contact for them."
            ),
        ),
        Part.GROUP: (
            Step(f"The queue {facts.group} has no members; the flow makes it the owner."),
            Step(
                "Assignment rules run after the flow and would move the case: make the first entry of the active rule Synthetic__c not blank, with that queue."
            ),
        ),
        Part.NOTIFICATIONS: (
            Step(
                "Add Synthetic__c blank to every flow, workflow rule and auto-response rule that mails somebody, and to escalation rules."
            ),
        ),
        Part.VIEWS: (Step("Add the filter Synthetic__c blank to each list view of cases."),),
        Part.SLA: (
            Step(
                "Let entitlement processes and milestones begin only with Synthetic__c blank in their entry criteria."
            ),
        ),
        Part.SURVEY: (Step("Add Synthetic__c blank to the flow that sends a survey when a case is closed."),),
        Part.REPORTS: (Step("Add the filter Synthetic__c blank to reports and dashboards of cases."),),
        Part.BOTS: (
            Step(
                "Keep Agentforce and Einstein from it: Omni-Channel routes by the owner, and the queue has no routing configuration; add the filter where an agent is started by a flow."
            ),
        ),
        Part.LOOPS: (
            Step(
                "Stay below 15 mails in 60 s with the same subject, sender and body: more count as a loop. The prober's subjects differ, and its cap is 12 an hour and sender.",
                _LOOP,
            ),
            Step(
                "A mail that fails makes no case; it goes to the Automated Case User. Let a mailbox of the prober read that address.",
                _E2C,
            ),
            Step(
                "Where Email-to-Case accepts mail of listed senders only, list the requesters beside the customers'."
            ),
        ),
    }
