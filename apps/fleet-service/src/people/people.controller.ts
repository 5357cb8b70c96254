import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, notThere, readCursor, readInput, toPage } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { shownRights } from '../sites/holders.js';
import { type InvitationRow, InvitationStore } from './invitation.store.js';
import { type MemberRow, MemberStore } from './member.store.js';
import { invitationListQuery, memberChange, memberListQuery, newInvitation } from './people.schema.js';

const positionOf = ({ position, id }: { readonly position: string; readonly id: string }) => ({
  createdAt: position,
  id,
});

/** Members of the caller's organisation. */
@Controller('api/v1/members')
@UseGuards(ApiKeyGuard)
export class MembersController {
  constructor(private readonly members: MemberStore) {}

  @Get()
  async list(@Caller() caller: Principal, @Query() query: unknown): Promise<unknown> {
    const { limit, cursor } = readInput(memberListQuery, query, 'query');
    const rows = await this.members.list(caller.organisationId, { limit, after: readCursor(cursor) });
    return toPage(rows, limit, positionOf, memberView);
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.members.find(caller.organisationId, id) : undefined;
    if (row === undefined) throw unknownMember(id);
    return memberView(row);
  }

  @Patch(':id')
  async change(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<unknown> {
    const change = readInput(memberChange, body);
    const row = isUuid(id) ? await this.members.changeRights(caller, id, change) : null;
    if (row === null) throw unknownMember(id);
    return memberView(row);
  }

  @Delete(':id')
  async remove(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.members.remove(caller, id) : null;
    if (row === null) throw unknownMember(id);
    return memberView(row);
  }
}

/** Invitations to the caller's organisation. */
@Controller('api/v1/invitations')
@UseGuards(ApiKeyGuard)
export class InvitationsController {
  constructor(private readonly invitations: InvitationStore) {}

  /** The answer holds the token, this one time. */
  @Post()
  async make(@Caller() caller: Principal, @Body() body: unknown): Promise<unknown> {
    const { token, row } = await this.invitations.make(caller, readInput(newInvitation, body));
    return { ...invitationView(row), token };
  }

  @Get()
  async list(@Caller() caller: Principal, @Query() query: unknown): Promise<unknown> {
    const { limit, cursor, open = null } = readInput(invitationListQuery, query, 'query');
    const rows = await this.invitations.list(caller.organisationId, { limit, after: readCursor(cursor), open });
    return toPage(rows, limit, positionOf, invitationView);
  }

  @Post(':id/revoke')
  @HttpCode(200)
  async revoke(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.invitations.revoke(caller, id) : null;
    if (row === null) throw unknownInvitation(id);
    return invitationView(row);
  }
}

const unknownMember = (id: string) =>
  notThere({
    ...{ code: 'unknown_member', noun: 'member', field: 'id', sent: id },
    advice: 'GET /api/v1/members lists the members',
  });

const unknownInvitation = (id: string) =>
  notThere({
    ...{ code: 'unknown_invitation', noun: 'invitation', field: 'id', sent: id },
    advice: 'GET /api/v1/invitations lists the invitations',
  });

export const memberView = (row: MemberRow) => ({
  id: row.id,
  email: row.email,
  name: row.name,
  ...shownRights(row),
  joinedAt: row.created_at.toISOString(),
  invitedBy: row.invited_by,
});

const invitationView = (row: InvitationRow) => ({
  id: row.id,
  email: row.email,
  ...shownRights(row),
  open: row.open,
  expiresAt: row.expires_at.toISOString(),
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  acceptedAt: row.accepted_at?.toISOString() ?? null,
  acceptedBy: row.accepted_by,
  revokedAt: row.revoked_at?.toISOString() ?? null,
  revokedBy: row.revoked_by,
});
