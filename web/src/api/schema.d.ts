/* Written by `npm run types` from openapi.json. Do not edit. */
export interface paths {
    "/api/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one signs in, and where one is signed in
         * @description Who: a person signed in.
         */
        get: operations["get-account"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/code-app": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a code app with a code that it shows
         * @description Who: a person signed in, who has just proven that it is them.
         */
        post: operations["post-account-code-app"];
        /**
         * Remove one's code app
         * @description Who: a person signed in, who has just proven that it is them.
         */
        delete: operations["delete-account-code-app"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/code-app/question": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A secret for a code app
         * @description Who: a person signed in, who has just proven that it is them.
         */
        post: operations["post-account-code-app-question"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep a passkey just made
         * @description Who: a person signed in, who has just proven that it is them.
         */
        post: operations["post-account-passkeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/passkeys/question": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a browser needs to make a passkey
         * @description Who: a person signed in, who has just proven that it is them.
         */
        post: operations["post-account-passkeys-question"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/passkeys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a passkey of one's own
         * @description Who: a person signed in, who has just proven that it is them.
         */
        delete: operations["delete-account-passkeys-id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set another password of one's own
         * @description Who: a person signed in, who has just proven that it is them.
         */
        put: operations["put-account-password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * New recovery codes in place of the old
         * @description Who: a person signed in, who has just proven that it is them.
         */
        post: operations["post-account-recovery-codes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/account/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a session of one's own
         * @description Who: a person signed in.
         */
        delete: operations["delete-account-sessions-id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Requests for acts that need two people, newest first
         * @description Who: may open approvals.
         */
        get: operations["get-approvals"];
        put?: never;
        /**
         * Ask for an act that needs two people
         * @description Who: may open approvals, who has just proven that it is them.
         */
        post: operations["post-approvals"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals/subjects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a request can be about
         * @description Who: may open approvals.
         */
        get: operations["get-approvals-subjects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What waits for the reader to decide or review
         * @description Who: may open approvals.
         */
        get: operations["get-approvals-waiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve a request, which carries it out
         * @description Who: may open approvals, who has just proven that it is them.
         */
        post: operations["post-approvals-id-approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals/{id}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refuse a request
         * @description Who: may open approvals.
         */
        post: operations["post-approvals-id-refuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals/{id}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Withdraw one's own request
         * @description Who: may open approvals.
         */
        post: operations["post-approvals-id-withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Emergency access: one's own, or all for those who review it
         * @description Who: may open break-glass.
         */
        get: operations["get-break-glass"];
        put?: never;
        /**
         * Take emergency access, for 15 minutes
         * @description Who: may open open:break-glass, who has just proven that it is them.
         */
        post: operations["post-break-glass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/break-glass/mine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The emergency access that one has open
         * @description Who: may open open:break-glass.
         */
        get: operations["get-break-glass-mine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/break-glass/{id}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End emergency access before its time
         * @description Who: may open break-glass.
         */
        post: operations["post-break-glass-id-end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/break-glass/{id}/review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say whether emergency access was justified
         * @description Who: may open review:break-glass.
         */
        post: operations["post-break-glass-id-review"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a camera back
         * @description Who: may open people.
         */
        post: operations["post-cameras-id-return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/case-candidates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * People who can become members of cases
         * @description Who: may open cases_manage.
         */
        get: operations["get-case-candidates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The register of cases and incidents
         * @description Who: may open cases.
         */
        get: operations["get-cases"];
        put?: never;
        /**
         * Enter a case or incident
         * @description Who: may open cases_manage.
         */
        post: operations["post-cases"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cases/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One case or incident
         * @description Who: may open cases.
         */
        get: operations["get-cases-id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cases/{id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close a case or incident
         * @description Who: may open cases_manage.
         */
        post: operations["post-cases-id-close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cases/{id}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make somebody a member of a case
         * @description Who: may open cases_manage.
         */
        post: operations["post-cases-id-members"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cases/{id}/members/{member}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a membership
         * @description Who: may open cases_manage.
         */
        post: operations["post-cases-id-members-member-end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/consultations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An open viewing
         * @description Who: may open recordings.
         */
        get: operations["get-consultations-id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/consultations/{id}/proxies/{segment}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a proxy
         * @description Who: may open recordings.
         */
        post: operations["post-consultations-id-proxies-segment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a dock must know
         * @description Who: a dock.
         */
        get: operations["get-dock"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dock/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * What a dock says of itself
         * @description Who: a dock.
         */
        put: operations["put-dock-status"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Docking stations and what moves in them
         * @description Who: may open docks.
         */
        get: operations["get-docks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hold-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What may not be disposed of before somebody has looked
         * @description Who: may open holds.
         */
        get: operations["get-hold-requests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * People with accounts
         * @description Who: may open people.
         */
        get: operations["get-people"];
        put?: never;
        /**
         * Make an account; its person cannot sign in yet
         * @description Who: may open people.
         */
        post: operations["post-people"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people-import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import people as a preview showed
         * @description Who: may open people.
         */
        post: operations["post-people-import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people-preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What an import of people would do
         * @description Who: may open people.
         */
        post: operations["post-people-preview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One person
         * @description Who: may open people.
         */
        get: operations["get-people-id"];
        /**
         * Give a person another name or collar number
         * @description Who: may open people.
         */
        put: operations["put-people-id"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}/cameras": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Issue a camera to a person
         * @description Who: may open people.
         */
        post: operations["post-people-id-cameras"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How somebody can sign in
         * @description Who: may open people.
         */
        get: operations["get-people-id-credentials"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}/credentials/{credential}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a passkey or a code app that was lost
         * @description Who: may open people, who has just proven that it is them.
         */
        delete: operations["delete-people-id-credentials-credential"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}/enrolment-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A link with which somebody sets up how they sign in
         * @description Who: may open people, who has just proven that it is them.
         */
        post: operations["post-people-id-enrolment-link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}/postings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Post a person to a unit
         * @description Who: may open people.
         */
        post: operations["post-people-id-postings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/people/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where somebody is signed in
         * @description Who: may open people.
         */
        get: operations["get-people-id-sessions"];
        put?: never;
        post?: never;
        /**
         * End all of somebody's sessions at once
         * @description Who: may open people, who has just proven that it is them.
         */
        delete: operations["delete-people-id-sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/postings/{id}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a posting
         * @description Who: may open people.
         */
        post: operations["post-postings-id-end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/purposes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reasons that may be given for watching
         * @description Who: may open recordings.
         */
        get: operations["get-purposes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Recordings, newest first
         * @description Who: may open recordings.
         */
        get: operations["get-recordings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/days": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many recordings a day
         * @description Who: may open recordings.
         */
        get: operations["get-recordings-days"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One recording
         * @description Who: may open recordings.
         */
        get: operations["get-recordings-id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/{id}/cases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put a recording into a case, or take it out
         * @description Who: may open recordings.
         */
        post: operations["post-recordings-id-cases"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/{id}/consultations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open a recording for watching
         * @description Who: may open recordings.
         */
        post: operations["post-recordings-id-consultations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything needed to check its custody
         * @description Who: may open recordings.
         */
        get: operations["get-recordings-id-history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/{id}/owner": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say whose footage a recording is
         * @description Who: may open recordings.
         */
        post: operations["post-recordings-id-owner"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/recordings/{id}/restriction": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say how closely a recording is kept
         * @description Who: may open recordings.
         */
        post: operations["post-recordings-id-restriction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/reports/s62": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Counts of the six operations of DPA 2018 s.62(1)
         * @description Who: a person signed in.
         */
        get: operations["get-reports-s62"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is signed in
         * @description Who: anyone.
         */
        get: operations["get-session"];
        put?: never;
        /**
         * Sign in
         * @description Who: anyone.
         */
        post: operations["post-session"];
        /**
         * Sign out
         * @description Who: anyone.
         */
        delete: operations["delete-session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/enrolment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin with an enrolment link
         * @description Who: anyone.
         */
        post: operations["post-session-enrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a passkey
         * @description Who: anyone.
         */
        post: operations["post-session-passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/passkey/question": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a passkey must sign to sign in
         * @description Who: anyone.
         */
        post: operations["post-session-passkey-question"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/step-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one can prove once more who is signed in
         * @description Who: a person signed in.
         */
        get: operations["get-session-step-up"];
        put?: never;
        /**
         * Prove once more who is signed in
         * @description Who: a person signed in.
         */
        post: operations["post-session-step-up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/ways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one can sign in here
         * @description Who: anyone.
         */
        get: operations["get-session-ways"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the service is
         * @description Who: may open system.
         */
        get: operations["get-system"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The trail, newest first
         * @description Who: a person signed in.
         */
        get: operations["get-trail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trail-people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who acted under a name or number
         * @description Who: a person signed in.
         */
        get: operations["get-trail-people"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/trail/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One event of the trail, with its proof
         * @description Who: a person signed in.
         */
        get: operations["get-trail-id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/units": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Units of the force
         * @description Who: may open people.
         */
        get: operations["get-units"];
        put?: never;
        /**
         * Make a unit
         * @description Who: may open people.
         */
        post: operations["post-units"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/units/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Rename or move a unit
         * @description Who: may open people.
         */
        put: operations["put-units-id"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/units/{id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close a unit
         * @description Who: may open people.
         */
        post: operations["post-units-id-close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Abilities: {
            addCases: boolean;
            approvals: boolean;
            auditBasic: boolean;
            auditFull: boolean;
            breakGlass: boolean;
            cases: boolean;
            docks: boolean;
            holds: boolean;
            log: boolean;
            people: boolean;
            recordings: boolean;
            system: boolean;
        };
        Ability: {
            may: boolean;
            /** @description Why not; empty where they may. */
            why: string;
        };
        Absent: {
            login: string;
            name: string;
        };
        Account: {
            credentials: components["schemas"]["CredentialsView"];
            login: string;
            sessions: components["schemas"]["SessionView"][] | null;
        };
        ApprovalState: {
            /**
             * Format: int64
             * @description Emergency access in use.
             */
            glass: number;
            /**
             * Format: int64
             * @description Requests that wait for a second person.
             */
            open: number;
            /**
             * Format: int64
             * @description Of those, past their time.
             */
            overdue: number;
            /**
             * Format: int64
             * @description Emergency access that waits for review.
             */
            reviews: number;
        };
        Arrival: {
            /** Format: date-time */
            at: string;
            device: string;
            dock: string;
            /** Format: date-time */
            dockedAt: string;
            fileName: string;
            id: string;
            /** Format: int64 */
            segment: number;
        };
        AskInBody: {
            kind: string;
            reason: string;
            /** @description For role.grant. */
            role?: string;
            subject: string;
        };
        AskKind: {
            kind: string;
            title: string;
        };
        AssignInBody: {
            /** @description Sign-in name, collar number or identifier; empty: nobody's. */
            person: string;
            reason: string;
        };
        AuthorityStatus: {
            /**
             * Format: date-time
             * @description Of that timestamp; zero = none yet.
             */
            at: string;
            /** @description The log has grown, and no timestamp came when it was due. */
            late: boolean;
            name: string;
            /**
             * Format: int64
             * @description Of the checkpoint stamped last.
             */
            size: number;
            trouble: string;
        };
        CameraStatus: {
            /** Format: int64 */
            bytes: number;
            current?: components["schemas"]["FileStatus"][] | null;
            device: string;
            /** Format: int64 */
            done: number;
            /** Format: int64 */
            files: number;
            /** Format: int64 */
            leftOver: number;
            message?: string;
            officer?: string;
            profile: string;
            /** Format: int64 */
            rate: number;
            /** Format: int64 */
            sent: number;
            state: string;
            /** Format: int64 */
            wiped: number;
        };
        Can: {
            approve: components["schemas"]["Ability"];
            refuse: components["schemas"]["Ability"];
            withdraw: components["schemas"]["Ability"];
        };
        Candidate: {
            id: string;
            name: string;
            number: string;
        };
        CandidateList: {
            people: components["schemas"]["Candidate"][] | null;
        };
        Card: {
            /** Format: int64 */
            bytes: number;
            category: string;
            /** Format: date-time */
            createdAt: string;
            device: string;
            /** Format: int64 */
            durationMs: number;
            id: string;
            officer: string;
            /** @description URL of its poster, empty if there is none. */
            poster: string;
            /** Format: int64 */
            segments: number;
            /** Format: date-time */
            startedAt: string;
            state: string;
            why: string;
        };
        CardPage: {
            items: components["schemas"]["Card"][] | null;
            /** @description Cursor of the next page, empty after the last. */
            next: string;
        };
        CaseDetail: {
            /** @description Name of who entered it. */
            by: string;
            /** Format: date-time */
            closedAt?: string;
            closedBy?: string;
            id: string;
            kind: string;
            /** @description The reader may know what it is about; else title and people are empty. */
            known: boolean;
            /** @description The reader may close it and choose its members. */
            manage: boolean;
            /** @description The latest first; empty where the reader may not know them. */
            members: components["schemas"]["MemberView"][] | null;
            number: string;
            /** Format: date-time */
            openedAt: string;
            openedBy: string;
            title: string;
        };
        CaseInBody: {
            /** @enum {string} */
            kind: "case" | "incident";
            number: string;
            title: string;
        };
        CaseList: {
            /** @description The latest first. */
            cases: components["schemas"]["CaseView"][] | null;
            /** @description For before; empty after the last. */
            next: string;
        };
        CaseView: {
            /** Format: date-time */
            closedAt?: string;
            closedBy?: string;
            id: string;
            kind: string;
            /** @description The reader may know what it is about; else title and people are empty. */
            known: boolean;
            /** @description The reader may close it and choose its members. */
            manage: boolean;
            number: string;
            /** Format: date-time */
            openedAt: string;
            openedBy: string;
            title: string;
        };
        Change: {
            after: string;
            before: string;
            column: string;
        };
        ChangeUnitInBody: {
            name?: string;
            /** @description Empty: the top. */
            parent?: string;
        };
        Clock: {
            /** Format: date-time */
            deviceStarted: string;
            /** Format: int64 */
            offsetMs?: number;
            source: string;
            /** Format: date-time */
            trusted: string;
            zone?: string;
        };
        CodeInBody: {
            code: string;
        };
        CombineInBody: {
            /** @description false: take it out. */
            in: boolean;
            note?: string;
            /** @description Of a case or incident. */
            number: string;
        };
        ConsultInBody: {
            purpose: components["schemas"]["PurposeStruct"];
        };
        CredentialsView: {
            /**
             * Format: date-time
             * @description Since when; left out: none.
             */
            codeApp?: string;
            passkeys: components["schemas"]["Passkey"][] | null;
            password: boolean;
            /** Format: int64 */
            recoveryLeft: number;
            /** Format: int64 */
            recoveryUsed: number;
            /** @description A second factor is required and there is none. */
            secondMissing: boolean;
        };
        DatabaseState: {
            /** Format: int64 */
            bytes: number;
            engine: string;
        };
        Day: {
            /** Format: int64 */
            count: number;
            day: string;
        };
        DayCounts: {
            days: components["schemas"]["Day"][] | null;
        };
        DescribeInBody: {
            /**
             * Format: date-time
             * @description Of the number. Left out: now.
             */
            from?: string;
            name?: string;
            /** @description Empty: none any more. */
            number?: string;
        };
        Detail: {
            arrivals: components["schemas"]["Arrival"][] | null;
            /** Format: int64 */
            bytes: number;
            can: components["schemas"]["RecordingAbilities"];
            category: string;
            copies: components["schemas"]["WorkingCopy"][] | null;
            /** Format: date-time */
            createdAt: string;
            device: string;
            /** Format: int64 */
            durationMs: number;
            gaps: components["schemas"]["Gap"][] | null;
            group: string;
            id: string;
            kept: components["schemas"]["Kept"];
            lastViewed: components["schemas"]["Viewed"];
            officer: string;
            poster: string;
            /** Format: int64 */
            segmentCount: number;
            segments: components["schemas"]["Segment"][] | null;
            /** Format: date-time */
            startedAt: string;
            state: string;
            why: string;
            work: components["schemas"]["WorkOn"][] | null;
        };
        DockFacts: {
            force: string;
            id: string;
            logKey: string;
            /**
             * Format: int64
             * @description Bytes.
             */
            maxUpload: number;
            name: string;
            /** Format: date-time */
            now: string;
            receiptKey: string;
        };
        DockList: {
            docks: components["schemas"]["DockView"][] | null;
        };
        DockStatus: {
            /** Format: date-time */
            at: string;
            cameras: components["schemas"]["CameraStatus"][] | null;
            dock: string;
            message?: string;
            name: string;
            version: string;
        };
        DockView: {
            /** Format: date-time */
            at: string;
            cameras: components["schemas"]["CameraStatus"][] | null;
            dock: string;
            /** Format: date-time */
            enrolledAt: string;
            id: string;
            /**
             * Format: date-time
             * @description By the server's clock; zero if never.
             */
            lastSeen: string;
            message?: string;
            name: string;
            online: boolean;
            version: string;
        };
        EmergencyCan: {
            end: components["schemas"]["Ability"];
            review: components["schemas"]["Ability"];
        };
        EmergencyPage: {
            items: components["schemas"]["EmergencyView"][] | null;
            /** @description Cursor of the next page, empty after the last. */
            next: string;
        };
        EmergencyView: {
            by: components["schemas"]["Somebody"];
            can: components["schemas"]["EmergencyCan"];
            /**
             * Format: date-time
             * @description By when it is to be reviewed.
             */
            dueAt: string;
            /**
             * Format: date-time
             * @description Zero while it lasts.
             */
            endedAt: string;
            endedBy?: components["schemas"]["Somebody"];
            id: string;
            inUse: boolean;
            note: string;
            /** Format: date-time */
            openedAt: string;
            /** @enum {string} */
            outcome: "" | "justified" | "not_justified";
            overdue: boolean;
            reason: string;
            /** @description Case or incident number, may be empty. */
            reference: string;
            /**
             * Format: date-time
             * @description Zero until then.
             */
            reviewedAt: string;
            reviewedBy?: components["schemas"]["Somebody"];
            /**
             * Format: date-time
             * @description It allows nothing from then on.
             */
            until: string;
        };
        EndInBody: {
            /**
             * Format: date-time
             * @description Left out: now.
             */
            until?: string;
        };
        EnrolmentLink: {
            /** @description Works once, for 24 hours. */
            link: string;
        };
        Field: {
            name: string;
            value: string;
        };
        FileStatus: {
            /** Format: int64 */
            length: number;
            message?: string;
            name: string;
            /** Format: int64 */
            sent: number;
            state: string;
        };
        Gap: {
            /** Format: int64 */
            after: number;
            /** Format: int64 */
            lengthMs: number;
            missing?: number[] | null;
        };
        HireInBody: {
            /**
             * Format: date-time
             * @description Of number and unit. Left out: now, and since ever for a number that nobody had.
             */
            from?: string;
            lead?: boolean;
            login: string;
            name: string;
            number?: string;
            role: string;
            unit?: string;
        };
        History: {
            checkpoint?: string;
            events: components["schemas"]["Opening"][] | null;
            itemKey: string;
            logKey?: string;
            /** Format: int64 */
            pending: number;
            proofs?: {
                [key: string]: string[] | null;
            };
            recording: string;
            witnessed: boolean;
        };
        HoldRequest: {
            /** Format: date-time */
            at: string;
            id: string;
            name: string;
            purpose: string;
            recording: string;
            reference: string;
        };
        HoldRequestList: {
            items: components["schemas"]["HoldRequest"][] | null;
            /** @description Where the next page begins, empty after the last. */
            next: string;
        };
        Holding: {
            /** Format: date-time */
            from?: string;
            id: string;
            kind: string;
            person: string;
            thing: string;
            /** Format: date-time */
            until?: string;
        };
        ImportInBody: {
            /** @description Of the preview that is to be done. For a preview: left out. */
            digest?: string;
            /** @description CSV; see docs/formats/staff-csv.md. */
            file: string;
        };
        InCase: {
            id: string;
            kind: string;
            number: string;
        };
        IssueInBody: {
            /** @description As its recordings name it. */
            camera: string;
            /**
             * Format: date-time
             * @description Left out: now.
             */
            from?: string;
            /**
             * Format: date-time
             * @description Left out: until it is returned.
             */
            until?: string;
        };
        Item: {
            /** @description Sign-in name, collar number or identifier. */
            person: string;
            /** Format: date-time */
            until?: string;
        };
        Kept: {
            /** @description Cases and incidents it belongs to. */
            cases: components["schemas"]["InCase"][] | null;
            /** @enum {string} */
            class: "normal" | "restricted" | "confidential";
            /** @description Why it may not be disposed of before somebody has looked; only for who may open holds. */
            holdRequests: components["schemas"]["HoldRequest"][] | null;
            /** @description Its access list; only for who may change it. */
            listed: components["schemas"]["Listed"][] | null;
            /** @description The asker must say why before they watch it. */
            needsPurpose: boolean;
            /** @description It is the asker's own. */
            own: boolean;
            /** @description Whose footage it is; left out where that is nobody known. */
            owner?: components["schemas"]["Named"];
            /** @description Why the asker watches it, as they have said and need not say again yet. */
            purpose?: components["schemas"]["Reason"];
        };
        LedgerState: {
            /** Format: date-time */
            checkpointAt: string;
            /** Format: int64 */
            checkpointSize: number;
            /** Format: int64 */
            events: number;
            logKey: string;
            message: string;
            origin: string;
            /**
             * Format: int64
             * @description Entries in the log.
             */
            size: number;
            state: string;
            /** @description Enough witnesses have signed all but the last minute. */
            witnessed: boolean;
        };
        Line: {
            changes: components["schemas"]["Change"][] | null;
            /** Format: int64 */
            line: number;
            login: string;
            name: string;
            remarks: components["schemas"]["Remark"][] | null;
            verdict: string;
        };
        LinkInBody: {
            secret: string;
        };
        Listed: {
            person: components["schemas"]["Named"];
            /** Format: date-time */
            until?: string;
        };
        Made: {
            id: string;
        };
        Me: {
            can: components["schemas"]["Abilities"];
            classification: string;
            /** @description The session may do nothing but set up how its person signs in. */
            enrolling: boolean;
            force: string;
            id: string;
            name: string;
            number: string;
            role: string;
            roleName: string;
        };
        Media: {
            audio?: string;
            /** Format: int64 */
            durationMs?: number;
            format?: string;
            /** Format: double */
            frameRate?: number;
            /** Format: int64 */
            height?: number;
            state: string;
            type?: string;
            video?: string;
            why?: string;
            /** Format: int64 */
            width?: number;
        };
        MemberInBody: {
            person: string;
            /** @description What they do in the case, in words. */
            role: string;
        };
        MemberView: {
            case: string;
            /** Format: date-time */
            from?: string;
            id: string;
            name: string;
            number: string;
            person: string;
            role: string;
            /** Format: date-time */
            until?: string;
        };
        MyEmergency: {
            /**
             * Format: date-time
             * @description By the server's clock, to count down by.
             */
            now: string;
            /** @description Left out where they have none open. */
            open?: components["schemas"]["EmergencyView"];
        };
        Named: {
            id: string;
            name: string;
            number?: string;
        };
        NewPasskeyAnswer: {
            attestation: string;
            clientData: string;
            credential: string;
            transports: string[] | null;
        };
        NewPasskeyInBody: {
            answer: components["schemas"]["NewPasskeyAnswer"];
            name: string;
        };
        NewPasskeyQuestion: {
            challenge: string;
            exclude: string[] | null;
            login: string;
            name: string;
            site: string;
            siteName: string;
            user: string;
        };
        NewTOTP: {
            secret: string;
            uri: string;
        };
        NoteInBody: {
            reason: string;
        };
        OpenField: {
            mac?: string;
            name: string;
            salt?: string;
            value?: string;
        };
        OpenedEvent: {
            /** @description Signed note; empty before the first. */
            checkpoint: string;
            fields: components["schemas"]["Field"][] | null;
            id: string;
            /**
             * Format: int64
             * @description Place in the log, -1 = not in it yet.
             */
            index: number;
            /** @description What it was done to: a recording, an upload, or the name of a part of the service. */
            item: string;
            /**
             * Format: int64
             * @description Number in the item's history, from 1 without gaps.
             */
            itemSeq: number;
            logKey: string;
            opening: components["schemas"]["Opening"];
            /** @description RFC 6962 path from the leaf's sibling up; empty while the event waits for its checkpoint. */
            proof: string[] | null;
            /** @description The recording that it is about, empty if none. */
            recording: string;
        };
        Opening: {
            fields: components["schemas"]["OpenField"][] | null;
            /** Format: int64 */
            index: number;
            leaf: string;
        };
        Operation: {
            /**
             * Format: int64
             * @description Recorded before the first byte.
             */
            begun: number;
            /** Format: int64 */
            done: number;
            /** Format: int64 */
            failed: number;
            /** @description collection, alteration, consultation, disclosure, combination or erasure. */
            operation: string;
            /** Format: int64 */
            refused: number;
            verb: string;
        };
        Outside: {
            /**
             * Format: date-time
             * @description When they had; zero = never.
             */
            at: string;
            authorities: components["schemas"]["AuthorityStatus"][] | null;
            /**
             * Format: date-time
             * @description Since when the log has had entries that not enough witnesses have signed; zero = it has none.
             */
            since: string;
            /**
             * Format: int64
             * @description Entries that enough witnesses have signed; 0 = none yet.
             */
            size: number;
            witnesses: components["schemas"]["WitnessStatus"][] | null;
        };
        Passkey: {
            /** Format: date-time */
            createdAt: string;
            id: string;
            name: string;
            person: string;
            synced: boolean;
            /** Format: date-time */
            usedAt?: string;
        };
        PasskeyAnswer: {
            authenticatorData: string;
            clientData: string;
            credential: string;
            signature: string;
            userHandle: string;
        };
        PasskeyQuestion: {
            allow: string[] | null;
            challenge: string;
            site: string;
        };
        PasswordInBody: {
            password: string;
        };
        PeopleList: {
            /** @description By sign-in name. */
            people: components["schemas"]["PersonView"][] | null;
            roles: components["schemas"]["RoleOption"][] | null;
            /**
             * Format: int64
             * @description All that fit, also those not sent.
             */
            total: number;
        };
        PersonDetail: {
            /**
             * Format: date-time
             * @description Last signed in, made, enabled or given a password.
             */
            activeAt: string;
            /** @description The latest first. */
            cameras: components["schemas"]["Holding"][] | null;
            /** Format: date-time */
            createdAt: string;
            disabled: boolean;
            id: string;
            /** @description They lead that unit. */
            lead: boolean;
            login: string;
            name: string;
            /** @description Collar number, empty if none. */
            number: string;
            /** @description The latest first. */
            numbers: components["schemas"]["Holding"][] | null;
            /** @description The latest first. */
            postings: components["schemas"]["PostingView"][] | null;
            role: string;
            roleName: string;
            /** @description Identifier of the unit they are posted to now, empty if none. */
            unit: string;
        };
        PersonView: {
            /**
             * Format: date-time
             * @description Last signed in, made, enabled or given a password.
             */
            activeAt: string;
            disabled: boolean;
            id: string;
            /** @description They lead that unit. */
            lead: boolean;
            login: string;
            name: string;
            /** @description Collar number, empty if none. */
            number: string;
            role: string;
            roleName: string;
            /** @description Identifier of the unit they are posted to now, empty if none. */
            unit: string;
        };
        "Post-break-glass-id-reviewRequest": {
            note: string;
            /** @enum {string} */
            outcome: "justified" | "not_justified";
        };
        "Post-break-glassRequest": {
            reason: string;
            /** @description Case or incident number. */
            reference?: string;
        };
        PostInBody: {
            /**
             * Format: date-time
             * @description Left out: now.
             */
            from?: string;
            lead?: boolean;
            unit: string;
        };
        PostingView: {
            code: string;
            /** Format: date-time */
            from?: string;
            id: string;
            lead: boolean;
            name: string;
            person: string;
            unit: string;
            /** Format: date-time */
            until?: string;
        };
        Preview: {
            absent: components["schemas"]["Absent"][] | null;
            counts: {
                [key: string]: number;
            };
            digest: string;
            lines: components["schemas"]["Line"][] | null;
        };
        Problem: {
            /**
             * @description Stable; for programs.
             * @enum {string}
             */
            code: "not_found" | "denied" | "unauthenticated" | "step_up" | "invalid" | "conflict" | "held" | "corrupt" | "full" | "too_many" | "unavailable" | "internal";
            /** @description For people: what happened, what is safe, what to do next. */
            detail: string;
            /** @description Finds this request in the server's log. */
            reference?: string;
            /** Format: int64 */
            status: number;
            title: string;
            type: string;
        };
        Purpose: {
            code: string;
            hold: boolean;
            label: string;
            name: string;
            /** @enum {string} */
            reference: "none" | "text" | "case" | "incident" | "either";
        };
        PurposeList: {
            purposes: components["schemas"]["Purpose"][] | null;
        };
        PurposeStruct: {
            code: string;
            note?: string;
            reference?: string;
        };
        Reason: {
            code: string;
            reference?: string;
        };
        RecordingAbilities: {
            assign: boolean;
            combine: boolean;
            consult: boolean;
            export: boolean;
            restrict: boolean;
            trail: boolean;
        };
        RecoveryCodes: {
            codes: string[] | null;
        };
        Remark: {
            column: string;
            reason: string;
        };
        RequestPage: {
            items: components["schemas"]["RequestView"][] | null;
            /** @description Cursor of the next page, empty after the last. */
            next: string;
        };
        RequestView: {
            /** Format: date-time */
            askedAt: string;
            askedBy: components["schemas"]["Somebody"];
            can: components["schemas"]["Can"];
            /**
             * Format: date-time
             * @description Zero while open.
             */
            decidedAt: string;
            decidedBy?: components["schemas"]["Somebody"];
            /** Format: date-time */
            expiresAt: string;
            /** @description Why carrying it out failed last. */
            failure: string;
            id: string;
            kind: string;
            /** @description Why it was refused. */
            note: string;
            reason: string;
            /** @enum {string} */
            state: "open" | "done" | "refused" | "withdrawn" | "expired" | "failed";
            subject: string;
            /** @description As it was when this was asked for. */
            subjectName: string;
            /** @description Of the kind, for people. */
            title: string;
            /** @description The value that was asked for. */
            wanted: string;
            /** @description The value when this was asked for. */
            was: string;
        };
        RestrictInBody: {
            /** @enum {string} */
            class: "normal" | "restricted" | "confidential";
            list: components["schemas"]["Item"][] | null;
            reason: string;
        };
        RoleName: {
            name: string;
            role: string;
        };
        RoleOption: {
            /** @description Two people give it; a new account cannot begin with it. */
            approval: boolean;
            name: string;
            role: string;
        };
        S62: {
            /** @description Of the log when this was counted; a signed note. */
            checkpoint: string;
            /** Format: date-time */
            from: string;
            operations: components["schemas"]["Operation"][] | null;
            /** Format: date-time */
            to: string;
        };
        Segment: {
            clock: components["schemas"]["Clock"];
            fileName: string;
            /** Format: int64 */
            length: number;
            media: components["schemas"]["Media"];
            /** Format: int64 */
            number: number;
            recording: string;
            /** Format: int64 */
            sequence?: number;
            sha256: string;
        };
        Session: {
            me?: components["schemas"]["Me"];
        };
        SessionList: {
            sessions: components["schemas"]["SessionView"][] | null;
        };
        SessionView: {
            /** @description IP address at sign-in. */
            address: string;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description If it is not used again.
             */
            endsAt: string;
            id: string;
            /** @description How the person proved who they are: passkey, code, recovery code, password, link, provider. */
            method: string;
            /**
             * Format: date-time
             * @description Last used, to the minute.
             */
            seenAt: string;
            /** @description The session of this request. */
            this: boolean;
        };
        SignInInBody: {
            /** @description Of a code app, or a recovery code. */
            code?: string;
            name: string;
            password: string;
        };
        SignInWays: {
            /** @description The host that passkeys belong to; empty where there can be none. */
            passkeyHost: string;
            /** @description Where browsers reach the service. */
            url: string;
        };
        Somebody: {
            id: string;
            name: string;
            /** @description Collar number, may be empty. */
            number: string;
            /** @description As it was then. */
            roleName: string;
        };
        StepUpInBody: {
            code?: string;
            /** @description In place of password and code. */
            passkey?: components["schemas"]["PasskeyAnswer"];
            password?: string;
        };
        StepUpWays: {
            /** @description A password needs a code with it. */
            code: boolean;
            /** @description Its allow is empty where the person has none. */
            passkey: components["schemas"]["PasskeyQuestion"];
            password: boolean;
        };
        Store: {
            /** Format: int64 */
            bytes: number;
            /** Format: int64 */
            bytesFree: number;
            /** Format: int64 */
            bytesTotal: number;
            engine: string;
            message: string;
            name: string;
            /** Format: int64 */
            objects: number;
            place: string;
            state: string;
        };
        Subject: {
            id: string;
            name: string;
            /** @description As it is now: the role, or that the key is in use. */
            was: string;
        };
        Subjects: {
            items: components["schemas"]["Subject"][] | null;
            /** @description There are others; search for them. */
            more: boolean;
        };
        System: {
            approvals: components["schemas"]["ApprovalState"];
            database: components["schemas"]["DatabaseState"];
            ledger: components["schemas"]["LedgerState"];
            /**
             * Format: int64
             * @description Open accounts that may sign in with a password alone; 0 where a second factor is required.
             */
            passwordAlone: number;
            /** Format: date-time */
            startedAt: string;
            stores: components["schemas"]["Store"][] | null;
            uploads: components["schemas"]["UploadState"];
            version: string;
            witness: components["schemas"]["Outside"];
            work: components["schemas"]["WorkState"];
        };
        TrailEvent: {
            fields: components["schemas"]["Field"][] | null;
            id: string;
            /**
             * Format: int64
             * @description Place in the log, -1 = not in it yet.
             */
            index: number;
            /** @description What it was done to: a recording, an upload, or the name of a part of the service. */
            item: string;
            /**
             * Format: int64
             * @description Number in the item's history, from 1 without gaps.
             */
            itemSeq: number;
            /** @description The recording that it is about, empty if none. */
            recording: string;
        };
        TrailPage: {
            events: components["schemas"]["TrailEvent"][] | null;
            /** @description Cursor of what follows, empty at the end. */
            next: string;
            /** @description The event that records this question. */
            query: string;
            /**
             * Format: date-time
             * @description How far back was looked, where a page ends before it is full.
             */
            searchedTo?: string;
        };
        TrailPeople: {
            people: components["schemas"]["TrailPerson"][] | null;
        };
        TrailPerson: {
            id: string;
            kind: string;
            name: string;
            number: string;
            role: string;
        };
        Trickplay: {
            /** Format: int64 */
            columns: number;
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            everyMs: number;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            tileHeight: number;
            /** Format: int64 */
            tileWidth: number;
            url: string;
        };
        UnitInBody: {
            code: string;
            name: string;
            /** @description Left out: the top. */
            parent?: string;
        };
        UnitList: {
            units: components["schemas"]["UnitView"][] | null;
        };
        UnitView: {
            /** Format: date-time */
            closedAt?: string;
            code: string;
            /** Format: date-time */
            createdAt: string;
            id: string;
            /** @description Names of those who lead it. */
            leads: string[] | null;
            name: string;
            parent?: string;
            /** Format: int64 */
            people: number;
        };
        UploadState: {
            /** Format: int64 */
            bytes: number;
            /** Format: int64 */
            open: number;
        };
        View: {
            /** Format: date-time */
            expiresAt: string;
            id: string;
            /** Format: date-time */
            now: string;
            recording: string;
            segments: components["schemas"]["ViewSegment"][] | null;
            watermark: string;
        };
        ViewSegment: {
            /** Format: int64 */
            durationMs: number;
            /** Format: double */
            frameRate: number;
            /** Format: int64 */
            number: number;
            /** @enum {string} */
            proxyState: "" | "making" | "failed" | "ready";
            source: string;
            state: string;
            trickplay: components["schemas"]["Trickplay"];
            type: string;
            waveform: components["schemas"]["Waveform"];
            why: string;
        };
        Viewed: {
            /** Format: date-time */
            at: string;
            by: string;
        };
        Waiting: {
            /** @description What the reader may ask for. */
            ask: components["schemas"]["AskKind"][] | null;
            /**
             * Format: int64
             * @description Requests that the reader may approve now.
             */
            decide: number;
            /** @description Whether the reader decides requests at all. */
            decides: boolean;
            /**
             * Format: int64
             * @description Of those, past their time.
             */
            overdue: number;
            /**
             * Format: int64
             * @description Emergency access that waits for review.
             */
            review: number;
            /** @description Whether the reader reviews emergency access. */
            reviews: boolean;
            /** @description For asking for another role. */
            roles: components["schemas"]["RoleName"][] | null;
        };
        Waveform: {
            /** Format: int64 */
            perSecond: number;
            url: string;
        };
        WitnessStatus: {
            algorithm: string;
            /**
             * Format: date-time
             * @description When, by its own clock; zero = never.
             */
            at: string;
            keyName: string;
            /** @description In the witness policy. */
            name: string;
            /**
             * Format: date-time
             * @description Since when the log has had entries that it has not signed; zero = it has none.
             */
            since: string;
            /**
             * Format: int64
             * @description Of the last checkpoint that it signed.
             */
            size: number;
            /** @description Why it did not sign when asked last. */
            trouble: string;
        };
        Work: {
            /** Format: date-time */
            at: string;
            id: string;
            kind: string;
            message: string;
            recording: string;
            state: string;
            /** Format: int64 */
            tries: number;
        };
        WorkOn: {
            /** Format: date-time */
            at: string;
            id: string;
            kind: string;
            message: string;
            state: string;
            /** Format: int64 */
            tries: number;
        };
        WorkState: {
            /** Format: int64 */
            done: number;
            /** Format: int64 */
            failed: number;
            recent: components["schemas"]["Work"][] | null;
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            waiting: number;
        };
        WorkingCopy: {
            info?: string;
            kind: string;
            /** Format: int64 */
            length: number;
            /** Format: date-time */
            madeAt: string;
            recording: string;
            /** Format: int64 */
            segment: number;
            sha256: string;
            tool: string;
            type: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    "get-account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-account-code-app": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CodeInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-account-code-app": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-account-code-app-question": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewTOTP"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-account-passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPasskeyInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-account-passkeys-question": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewPasskeyQuestion"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-account-passkeys-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-account-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-account-recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-account-sessions-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-approvals": {
        parameters: {
            query: {
                show: "decide" | "mine" | "done";
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestPage"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AskInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-approvals-subjects": {
        parameters: {
            query: {
                kind: "role.grant" | "dock.revoke";
                /** @description This one alone. */
                id?: string;
                /** @description In the name, number or sign-in name. */
                text?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subjects"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-approvals-waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Waiting"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-approvals-id-approve": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-approvals-id-refuse": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoteInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-approvals-id-withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-break-glass": {
        parameters: {
            query?: {
                /** @description Only what waits for review, what is due first first. */
                waiting?: boolean;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmergencyPage"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Post-break-glassRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmergencyView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-break-glass-mine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyEmergency"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-break-glass-id-end": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmergencyView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-break-glass-id-review": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Post-break-glass-id-reviewRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmergencyView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-cameras-id-return": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-case-candidates": {
        parameters: {
            query?: {
                text?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CandidateList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-cases": {
        parameters: {
            query?: {
                /** @description In the number; in the title where the reader may know it. */
                text?: string;
                /** @description Left out: both. */
                state?: "open" | "closed";
                /** @description Left out: both. */
                kind?: "case" | "incident";
                /** @description Only those that the reader is a member of. */
                mine?: boolean;
                before?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaseList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-cases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CaseInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-cases-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CaseDetail"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-cases-id-close": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-cases-id-members": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-cases-id-members-member-end": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                member: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-consultations-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-consultations-id-proxies-segment": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                segment: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-dock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DockFacts"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-dock-status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DockStatus"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-docks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DockList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-hold-requests": {
        parameters: {
            query?: {
                before?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldRequestList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-people": {
        parameters: {
            query?: {
                /** @description In name, sign-in name or number. */
                text?: string;
                unit?: string;
                role?: string;
                /** @description Left out: both. */
                state?: "open" | "closed";
                /** @description Sign-in name of the last one of the page before. */
                after?: string;
                /** @description 0 = 100 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeopleList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HireInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-people-import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-people-preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImportInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-people-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonDetail"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-people-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DescribeInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-people-id-cameras": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IssueInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-people-id-credentials": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsView"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-people-id-credentials-credential": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                /** @description A passkey's identifier, or code-app. */
                credential: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-people-id-enrolment-link": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentLink"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-people-id-postings": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PostInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-people-id-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-people-id-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-postings-id-end": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-purposes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PurposeList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-recordings": {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 0 = 60 */
                limit?: number;
                from?: string;
                to?: string;
                officer?: string;
                device?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardPage"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-recordings-days": {
        parameters: {
            query?: {
                from?: string;
                to?: string;
                officer?: string;
                device?: string;
                /** @description Time zone whose days are meant, e.g. Europe/London; UTC if left out. */
                zone?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DayCounts"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-recordings-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Detail"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-recordings-id-cases": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CombineInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-recordings-id-consultations": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConsultInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["View"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-recordings-id-history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-recordings-id-owner": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssignInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-recordings-id-restriction": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestrictInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-reports-s62": {
        parameters: {
            query?: {
                from?: string;
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["S62"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-session-enrolment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-session-passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyAnswer"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-session-passkey-question": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyQuestion"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-session-step-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepUpWays"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-session-step-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StepUpInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-session-ways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInWays"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["System"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-trail": {
        parameters: {
            query?: {
                cursor?: string;
                /** @description 0 = 50 */
                limit?: number;
                /** @description A recording, or whatever else events are about. */
                recording?: string;
                /** @description Account, dock or part of the service; see /api/trail-people. */
                person?: string;
                /** @description Case or incident number. */
                reference?: string;
                purpose?: string;
                /** @description One verb, or several with commas. */
                verb?: string;
                phase?: string;
                from?: string;
                /** @description Not included. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrailPage"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-trail-people": {
        parameters: {
            query?: {
                word?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrailPeople"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-trail-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenedEvent"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-units": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnitList"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-units": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UnitInBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "put-units-id": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeUnitInBody"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "post-units-id-close": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
