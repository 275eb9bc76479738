/** What stands around every page: the bar at the top, dialogs, problems, and a place to drop anywhere. */

import { useEffect, useState } from 'preact/hooks'
import { groupOf, isReading } from './api/reading'
import { ArchivesPage } from './archives/page'
import { AnalyseDialog } from './panels/analyse'
import { KeysDialog } from './panels/keys'
import { PersonDialog } from './panels/person'
import { ReadersPage } from './readers/list'
import { MakePage } from './readers/make'
import { ReaderStudyPage } from './readers/one'
import { ReadingBar, ReadingName, ReadingPage } from './readers/reading'
import { page, usePage } from './store/page'
import { setLanguage, toggleTheme } from './store/settings'
import { surfaceOf, type Route } from './store/state'
import { Icon } from './style/icons'
import { StudyPage } from './viewer/study'
import { useWords, type Key } from './words'
import { dropped } from './worklist/drop'
import { WorkListPage } from './worklist/list'
import { upload } from './worklist/upload'

const PLACES: readonly [pages: readonly Route['page'][], address: string, words: Key][] = [
  [['list'], '#/', 'exams'],
  [['readers', 'new-readers', 'reader-study'], '#/reader-studies', 'reader_studies'],
  [['archives'], '#/archives', 'archives'],
]

function Places({ now }: { now: Route['page'] }) {
  const say = useWords()
  return (
    <nav aria-label={say('places')}>
      {PLACES.map(([pages, address, words]) => (
        <a key={address} href={address} aria-current={pages.includes(now) ? 'page' : undefined}>
          {say(words)}
        </a>
      ))}
    </nav>
  )
}

/** What is open: an exam, or one reader's reading of it. */
function Open({ id }: { id: string }) {
  const say = useWords()
  const study = usePage(({ exam }) => exam?.study)
  if (isReading(id)) {
    return (
      <>
        <a class="home" href={`#/reader-studies/${groupOf(id)}`} aria-label={say('back_to_readers')} title={say('back_to_readers')}>
          <Icon name="back" />
          {say('reader_study')}
        </a>
        <ReadingName id={id} />
      </>
    )
  }
  return (
    <>
      <a class="home" href="#/" aria-label={say('back_to_list')} title={say('back_to_list')}>
        <Icon name="back" />
        {say('exams')}
      </a>
      {study && (
        <span class="exam-name">
          <b>{study.name}</b>
          {study.edits > 0 && <em>{say('version_edited', { version: study.version })}</em>}
          {study.signed?.version === study.version && <em class="good">{say('state_signed')}</em>}
        </span>
      )}
    </>
  )
}

function TopBar() {
  const say = useWords()
  const route = usePage((state) => state.route)
  const online = usePage((state) => state.online)
  const language = usePage((state) => state.language)
  const theme = usePage((state) => state.themes[surfaceOf(state.route)])
  const person = usePage((state) => state.person)
  return (
    <header class="topbar">
      {route.page === 'study' ? (
        <Open id={route.id} />
      ) : (
        <>
          <span class="home brand">CardioTrace</span>
          <Places now={route.page} />
        </>
      )}
      <span class="space" />
      {route.page === 'study' && isReading(route.id) && <ReadingBar key={route.id} id={route.id} />}
      {!online && (
        <span class="offline" role="status">
          {say('offline')}
        </span>
      )}
      <button class="quiet" title={say('who')} onClick={() => page.set({ dialog: 'person' })}>
        <Icon name="person" />
        {person || say('who_short')}
      </button>
      <button class="quiet" lang={language === 'en' ? 'fr' : 'en'} onClick={() => setLanguage(language === 'en' ? 'fr' : 'en')}>
        {language === 'en' ? 'Français' : 'English'}
      </button>
      <button class="square" aria-label={say(theme === 'dark' ? 'to_light' : 'to_dark')} title={say(theme === 'dark' ? 'to_light' : 'to_dark')} onClick={toggleTheme}>
        <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
      </button>
      {route.page === 'study' && (
        <button class="square" aria-label={say('keys')} title={`${say('keys')} (?)`} onClick={() => page.set({ dialog: 'keys' })}>
          ?
        </button>
      )}
    </header>
  )
}

/** Whatever is dropped anywhere is an exam. */
function DropPlace() {
  const say = useWords()
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !hasFiles(event)) return
      event.preventDefault()
      setOver(false)
      location.hash = '#/'
      void dropped(event.dataTransfer).then(upload)
    }
    window.addEventListener('dragover', over)
    window.addEventListener('dragleave', leave)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragover', over)
      window.removeEventListener('dragleave', leave)
      window.removeEventListener('drop', drop)
    }
  }, [])
  return isOver ? <div class="drop">{say('drop_here')}</div> : null
}

function ProblemLine() {
  const say = useWords()
  const problem = usePage((state) => state.problem)
  if (!problem) return null
  return (
    <div class="problem" role="alert">
      <p>{problem}</p>
      <button class="square" aria-label={say('close')} onClick={() => page.set({ problem: null })}>
        <Icon name="close" />
      </button>
    </div>
  )
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'list':
      return <WorkListPage />
    case 'study':
      return isReading(route.id) ? <ReadingPage key={route.id} id={route.id} /> : <StudyPage key={route.id} id={route.id} />
    case 'readers':
      return <ReadersPage />
    case 'new-readers':
      return <MakePage />
    case 'reader-study':
      return <ReaderStudyPage key={route.id} id={route.id} />
    case 'archives':
      return <ArchivesPage />
  }
}

export function Frame() {
  const route = usePage((state) => state.route)
  const dialog = usePage((state) => state.dialog)
  const theme = usePage((state) => state.themes[surfaceOf(state.route)])
  const language = usePage((state) => state.language)
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
    document.documentElement.lang = language
  }, [theme, language])
  return (
    <>
      <TopBar />
      <Page route={route} />
      {dialog === 'keys' && <KeysDialog />}
      {dialog === 'person' && <PersonDialog />}
      {dialog === 'analyse' && <AnalyseDialog />}
      <ProblemLine />
      <DropPlace />
    </>
  )
}
