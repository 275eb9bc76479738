import { render } from 'preact'
import { Frame } from './frame'
import { recallPerson } from './panels/person'
import { readRoute, recallSettings } from './store/settings'
import './style/page.css'
import { follow } from './worklist/live'

recallSettings()
recallPerson()
readRoute()
window.addEventListener('hashchange', readRoute)
follow()

const place = document.getElementById('page')
if (place) render(<Frame />, place)
